use super::patient;

#[track_caller]
fn div(inside: &str, expected: &[&str]) {
    whole(&format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>"), expected);
}

#[track_caller]
fn whole(div: &str, expected: &[&str]) {
    let mut quoted = Vec::new();
    crate::json::write_string_into(div, &mut quoted);
    let quoted = String::from_utf8(quoted).unwrap();
    let expected = expected.iter().map(|words| format!("Patient.text.div: {words}")).collect::<Vec<_>>();
    let expected = expected.iter().map(String::as_str).collect::<Vec<_>>();
    patient(&format!(r#""text":{{"status":"generated","div":{quoted}}}"#), &expected);
}

#[test]
fn text_tables_lists_links_and_images_are_welcome() {
    for right in [
        "texte",
        "<p id=\"a\" class=\"b\" style=\"color:red\" title=\"c\" xml:lang=\"fr\">é &amp; &#233;</p>",
        "<table border=\"1\"><thead><tr><th colspan=\"2\">a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>",
        "<ul><li>a</li></ul><dl><dt>b</dt><dd>c</dd></dl><h1>d</h1><pre>e</pre><hr/><br/>",
        "<a href=\"https://esante.gouv.fr\">a</a><a href=\"#x\" name=\"x\">b</a><a href=\"Patient/1\">c</a><a href=\"mailto:a@example.org\">d</a>",
        "<img src=\"#photo\" alt=\"x\"/>",
        "<img src=\"data:image/png;base64,QUJD\"/>",
        "<img src=\"https://example.org/a.png\"/>",
        "<a href=\"ftp://example.org/a\">a</a>",
        "<td style=\"background: white url(data: image/png;base64,QUJD) repeat-y\">a</td>",
        "<!-- a comment --> x",
    ] {
        div(right, &[]);
    }
}

#[test]
fn nothing_that_acts_is_let_in() {
    for wrong in [
        "<script>alert(1)</script>",
        "<style>p{}</style>",
        "<iframe src=\"https://x\"/>",
        "<object data=\"x\"/>",
        "<form/>",
        "<input/>",
        "<button/>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        "<link href=\"x\"/>",
        "<meta/>",
        "<base href=\"x\"/>",
        "<P>x</P>",
        "<video/>",
        "<x:p xmlns:x=\"http://example.org\">x</x:p>",
    ] {
        div(wrong, &["is not allowed in a narrative (txt-1)"]);
    }
    for wrong in [
        "<p onclick=\"x\">a</p>",
        "<p ONCLICK=\"x\">a</p>",
        "<img src=\"#a\" onerror=\"x\"/>",
        "<a ping=\"x\">a</a>",
        "<a target=\"x\">a</a>",
        "<p xmlns:x=\"http://www.w3.org/1999/xlink\" x:href=\"javascript:x\">a</p>",
        "<p xml:base=\"x\">a</p>",
    ] {
        div(wrong, &["The attribute"]);
    }
    for wrong in [
        "<a href=\"javascript:alert(1)\">a</a>",
        "<a href=\"JaVaScRiPt:alert(1)\">a</a>",
        "<a href=\" java&#10;script:alert(1)\">a</a>",
        "<a href=\"java&#9;script:alert(1)\">a</a>",
        "<a href=\"vbscript:x\">a</a>",
        "<a href=\"data:text/html,x\">a</a>",
        "<a href=\"file:///etc/passwd\">a</a>",
        "<img src=\"javascript:x\"/>",
        "<img src=\"data:image/svg+xml,x\"/>",
        "<img src=\"data:text/html;base64,QQ==\"/>",
        "<p style=\"background:url(https://x)\">a</p>",
        "<p style=\"background:url(a.png)\">a</p>",
        "<p style=\"background:url(data:image/svg+xml,x)\">a</p>",
        "<p style=\"background:url(data:image/png;base64,QQ==),url(https://x)\">a</p>",
        "<p style=\"background:url(data:image/png;base64,QQ==\">a</p>",
        "<p style=\"width:expression(x)\">a</p>",
        "<p style=\"background:u\\72l(x)\">a</p>",
        "<p style=\"background:u/**/rl(x)\">a</p>",
        "<blockquote cite=\"javascript:x\">a</blockquote>",
    ] {
        div(wrong, &["could act or load something"]);
    }
}

#[test]
fn what_html_reads_otherwise_is_refused() {
    div("<![CDATA[><script>alert(1)</script>]]>", &["CDATA"]);
    div("x<!--><script>alert(1)</script>-->", &["HTML would end earlier"]);
    div("x<!---><script>alert(1)</script>-->", &["HTML would end earlier"]);
    div("x<?a ><script>alert(1)</script>?>", &["Processing instructions"]);
}

#[test]
fn the_div_is_one_well_formed_element() {
    whole("<div>x</div>", &["must be one <div"]);
    whole("<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>", &["must be one <div"]);
    whole(" <div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>", &["must be one <div"]);
    whole("<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div><p/>", &["well-formed"]);
    whole("<div xmlns=\"http://www.w3.org/1999/xhtml\">x", &["well-formed"]);
    whole("x", &["well-formed"]);
    div("a & b", &["well-formed"]);
    div("&nbsp;", &["well-formed"]);
    whole("<!DOCTYPE div><div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>", &["DTD"]);
    div(&format!("{}x{}", "<b>".repeat(100), "</b>".repeat(100)), &["deeper than 64"]);
    div("", &["is empty"]);
    div(" \u{a0}<p> </p>", &["is empty"]);
}
