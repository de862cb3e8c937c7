//! The writer: what was read, written again.

use super::read::plain_length;
use crate::tree::{Object, Value};

pub(super) fn object(object: &Object, out: &mut Vec<u8>) {
    out.push(b'{');
    for (i, (name, member)) in object.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        string(name, out);
        out.push(b':');
        value(member, out);
    }
    out.push(b'}');
}

pub(super) fn value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                self::value(item, out);
            }
            out.push(b']');
        }
        Value::Object(o) => object(o, out),
        other => scalar(other, out),
    }
}

pub(super) fn pretty_object(object: &Object, level: usize, out: &mut Vec<u8>) {
    if object.is_empty() {
        out.extend_from_slice(b"{}");
        return;
    }
    out.push(b'{');
    for (i, (name, member)) in object.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        new_line(level + 1, out);
        string(name, out);
        out.extend_from_slice(b": ");
        pretty_value(member, level + 1, out);
    }
    new_line(level, out);
    out.push(b'}');
}

fn pretty_value(value: &Value, level: usize, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) if items.is_empty() => out.extend_from_slice(b"[]"),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                new_line(level + 1, out);
                pretty_value(item, level + 1, out);
            }
            new_line(level, out);
            out.push(b']');
        }
        Value::Object(object) => pretty_object(object, level, out),
        other => scalar(other, out),
    }
}

fn new_line(level: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.resize(out.len() + 2 * level, b' ');
}

fn scalar(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(digits) => out.extend_from_slice(digits.as_bytes()),
        Value::String(text) => string(text, out),
        Value::Null | Value::Array(_) | Value::Object(_) => out.extend_from_slice(b"null"),
    }
}

pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, from_escape) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((escaped, after)) = from_escape.split_first() else {
            break;
        };
        escape(*escaped, out);
        rest = after;
    }
    out.push(b'"');
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x8 => b'b',
        0xC => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 0xF)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
