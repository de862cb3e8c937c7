//! The narrative: text, tables, lists, links and images; nothing that acts.
//!
//! A narrative may end up in a browser, through people who trust the server. Elements, attributes
//! and addresses are therefore those FHIR lists and no others (txt-1), and what HTML and XML read
//! differently (comments, CDATA, processing instructions) is refused where the difference could
//! hide something.

use roxmltree::{Document, Node, NodeType, ParsingOptions};

use super::{Walk, references::scheme};
use crate::{
    json::Limits,
    outcome::{IssueKind, Text},
    place::Place,
    text, xml,
};

/// The elements of HTML 4 that FHIR allows, in alphabetical order.
const ELEMENTS: [&str; 51] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

/// The attributes that FHIR allows, in alphabetical order.
const ATTRIBUTES: [&str; 50] = [
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
];

const XML: &str = "http://www.w3.org/XML/1998/namespace";

impl Walk<'_> {
    pub(super) fn check_narrative(&mut self, div: &str, place: Place<'_>) {
        if let Err(text) = check(div) {
            self.error(IssueKind::Invariant, place, text);
        }
    }
}

fn check(div: &str) -> Result<(), Text> {
    xml::check_extent(div, &Limits::default()).map_err(|issue| issue.text)?;
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let document = Document::parse_with_options(div, options).map_err(|error| {
        text!(
            en: "The narrative is not well-formed XHTML: {error} (no named entities but those of XML).",
            fr: "Le texte narratif n'est pas du XHTML bien formé : {error} (pas d'entités nommées sauf celles de XML).",
        )
    })?;
    if !document.root_element().has_tag_name((xml::XHTML, "div")) || !div.starts_with("<div") {
        return Err(text!(
            en: "The narrative must be one <div xmlns=\"http://www.w3.org/1999/xhtml\"> and nothing around it (txt-1).",
            fr: "Le texte narratif doit être un unique <div xmlns=\"http://www.w3.org/1999/xhtml\"> sans rien autour (txt-1).",
        ));
    }
    if div.contains("<![CDATA[") {
        return Err(text!(
            en: "CDATA sections are not allowed in a narrative: HTML reads them otherwise than XML.",
            fr: "Les sections CDATA ne sont pas permises dans un texte narratif : HTML les lit autrement que XML.",
        ));
    }
    let mut content = false;
    for node in document.descendants() {
        match node.node_type() {
            NodeType::Element => {
                check_element(node)?;
                content |= node.tag_name().name() == "img";
            }
            NodeType::Text => content |= node.text().is_some_and(|t| t.chars().any(|c| !c.is_whitespace())),
            NodeType::Comment => check_comment(node.text().unwrap_or_default())?,
            NodeType::PI => return Err(misread_in_html()),
            NodeType::Root => {}
        }
    }
    if content {
        return Ok(());
    }
    Err(text!(
        en: "The narrative is empty; it needs some text or an image (txt-2).",
        fr: "Le texte narratif est vide ; il faut du texte ou une image (txt-2).",
    ))
}

fn check_element(node: Node<'_, '_>) -> Result<(), Text> {
    let name = node.tag_name().name();
    let known = ELEMENTS.binary_search(&name).is_ok();
    if node.tag_name().namespace() != Some(xml::XHTML) || !known {
        return Err(text!(
            en: "The element <{name}> is not allowed in a narrative (txt-1).",
            fr: "L'élément <{name}> n'est pas permis dans un texte narratif (txt-1).",
        ));
    }
    for attribute in node.attributes() {
        let name = match attribute.namespace() {
            None => attribute.name(),
            Some(XML) if attribute.name() == "lang" => "xml:lang",
            Some(_) => "",
        };
        if ATTRIBUTES.binary_search(&name).is_err() {
            let name = attribute.name();
            return Err(text!(
                en: "The attribute \"{name}\" is not allowed in a narrative (txt-1).",
                fr: "L'attribut « {name} » n'est pas permis dans un texte narratif (txt-1).",
            ));
        }
        let value = attribute.value();
        let harmless = match name {
            "href" | "cite" | "longdesc" => is_harmless_link(value),
            "src" => is_harmless_image(value),
            "style" => is_harmless_style(value),
            _ => true,
        };
        if !harmless {
            return Err(text!(
                en: "The attribute \"{name}\" holds something that could act or load something; it is not allowed in a narrative.",
                fr: "L'attribut « {name} » contient de quoi agir ou charger quelque chose ; ce n'est pas permis dans un texte narratif.",
            ));
        }
    }
    Ok(())
}

/// Browsers drop controls and blanks, so they are dropped here before looking.
fn bare(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_control() && !c.is_whitespace()).map(|c| c.to_ascii_lowercase())
}

/// The beginning of an address: more than any scheme and kind of data takes.
fn beginning(address: &str) -> String {
    bare(address).take(256).collect()
}

fn is_harmless_link(address: &str) -> bool {
    let bare = beginning(address);
    match scheme(&bare) {
        None => !bare.starts_with(|c: char| !c.is_ascii_graphic()),
        Some(scheme) => matches!(scheme, "http" | "https" | "ftp" | "mailto" | "tel" | "urn" | "cid"),
    }
}

/// Images come from the web, from the resource itself (`#`), or lie in the address.
fn is_harmless_image(address: &str) -> bool {
    if beginning(address).starts_with("data:") { is_picture(address) } else { is_harmless_link(address) }
}

/// Whether an address is itself a picture, of a kind that cannot hold a script (as SVG can).
fn is_picture(address: &str) -> bool {
    const PICTURES: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];
    let bare = beginning(address);
    let kind = bare.strip_prefix("data:").and_then(|data| data.split([';', ',']).next());
    kind.is_some_and(|kind| PICTURES.contains(&kind))
}

/// A style sheet may set looks, with pictures that lie in it (HL7's own definitions draw their trees
/// so). It may not load anything, and its escapes could spell what it may not say.
fn is_harmless_style(style: &str) -> bool {
    let style = bare(style).collect::<String>();
    let acts = ["expression(", "javascript:", "@import", "behavior:", "-moz-binding", "\\", "/*"]
        .iter()
        .any(|word| style.contains(word));
    let mut addresses = style.split("url(").skip(1);
    !acts && addresses.all(|rest| rest.split_once(')').is_some_and(|(address, _)| is_picture(address)))
}

/// `<!-->` ends a comment in HTML but not in XML; what follows would come alive.
fn check_comment(comment: &str) -> Result<(), Text> {
    if comment.starts_with('>') || comment.starts_with("->") || comment.contains("--!") || comment.contains("<!--") {
        return Err(misread_in_html());
    }
    Ok(())
}

fn misread_in_html() -> Text {
    text!(
        en: "Processing instructions, and comments that HTML would end earlier than XML, are not allowed in a narrative.",
        fr: "Les instructions de traitement, et les commentaires que HTML terminerait avant XML, ne sont pas permis dans un texte narratif.",
    )
}
