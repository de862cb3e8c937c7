//! Text put into a page.

/// The text with what HTML would read as markup written as references, for content and for
/// attribute values in double quotes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_of_a_text_becomes_markup() {
        assert_eq!(
            super::escape(r#"<a href="x">l'eau & l'air</a>"#),
            "&lt;a href=&quot;x&quot;&gt;l&#39;eau &amp; l&#39;air&lt;/a&gt;"
        );
    }
}
