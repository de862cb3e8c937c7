//! The narrative's `div`: kept as written, or written anew when it leans on what is outside it.

use roxmltree::{Document, Node, NodeType, ParsingOptions};

use super::{XHTML, extent};
use crate::json::Limits;

/// The text of a `div` as JSON holds it: the source itself when it stands on its own, with its
/// namespace declared; otherwise the same elements with the namespace declared on the `div`.
pub(super) fn div_text(div: Node<'_, '_>) -> String {
    let source = div.document().input_text().get(div.range()).unwrap_or_default();
    if is_div(source) {
        return source.to_owned();
    }
    let mut text = String::with_capacity(source.len() + XHTML.len() + 16);
    write_element(div, Outer::Nothing, &mut text);
    text
}

/// Whether a text is one well-formed `div` element in the namespace of XHTML, on its own.
pub(super) fn is_div(text: &str) -> bool {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    extent::check(text, &Limits::default()).is_ok()
        && Document::parse_with_options(text, options)
            .is_ok_and(|document| document.root_element().has_tag_name((XHTML, "div")) && text.starts_with('<'))
}

#[derive(Clone, Copy)]
enum Outer<'a> {
    Nothing,
    Namespace(Option<&'a str>),
}

/// Elements keep their local names; the default namespace is declared where it changes.
fn write_element(element: Node<'_, '_>, outer: Outer<'_>, out: &mut String) {
    let name = element.tag_name();
    out.push('<');
    out.push_str(name.name());
    match outer {
        Outer::Namespace(namespace) if namespace == name.namespace() => {}
        _ => write_attribute("xmlns", name.namespace().unwrap_or_default(), out),
    }
    for attribute in element.attributes() {
        match attribute.namespace() {
            Some("http://www.w3.org/XML/1998/namespace") => {
                write_attribute(&format!("xml:{}", attribute.name()), attribute.value(), out);
            }
            _ => write_attribute(attribute.name(), attribute.value(), out),
        }
    }
    if element.has_children() {
        out.push('>');
        for child in element.children() {
            match child.node_type() {
                NodeType::Element => write_element(child, Outer::Namespace(name.namespace()), out),
                NodeType::Text => escape(child.text().unwrap_or_default(), out),
                NodeType::Comment | NodeType::PI | NodeType::Root => {}
            }
        }
        out.push_str("</");
        out.push_str(name.name());
        out.push('>');
    } else {
        out.push_str("/>");
    }
}

fn write_attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}

/// Escapes for text and attributes alike; blanks other than spaces survive as references.
pub(super) fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\t', '\n', '\r']) {
        let (plain, escaped) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = escaped.chars();
        out.push_str(match chars.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            Some('\t') => "&#9;",
            Some('\n') => "&#10;",
            _ => "&#13;",
        });
        rest = chars.as_str();
    }
    out.push_str(rest);
}
