//! The words and signs of an expression.

use super::parse::PathError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Name(String),
    /// A name between backquotes, which is never a word of the language.
    Quoted(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub at: usize,
}

impl Token {
    pub fn unexpected(&self) -> PathError {
        let found = match &self.kind {
            Kind::Name(text) | Kind::Quoted(text) | Kind::Text(text) | Kind::Number(text) => text.clone(),
            Kind::Sign(sign) => (*sign).to_owned(),
        };
        PathError::Unexpected { found, at: self.at }
    }
}

/// Longer ones first: `<` is the beginning of `<=`.
const SIGNS: [&str; 16] = ["!=", "<=", ">=", "(", ")", "[", "]", ".", "|", "=", ",", "<", ">", "&", "+", "%"];

pub(super) fn lex(text: &str) -> Result<Vec<Token>, PathError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let kind = if first == '\'' || first == '`' {
            let (literal, after) = quoted(&rest[1..], first)?;
            rest = after;
            if first == '\'' { Kind::Text(literal) } else { Kind::Quoted(literal) }
        } else if first.is_ascii_digit() {
            let end = end_of_number(rest);
            let (digits, after) = rest.split_at(end);
            rest = after;
            Kind::Number(digits.to_owned())
        } else if first.is_ascii_alphabetic() || first == '_' || first == '$' {
            let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = rest[1..].find(|c| !inside(c)).map_or(rest.len(), |end| end + 1);
            let (name, after) = rest.split_at(end);
            rest = after;
            Kind::Name(name.to_owned())
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            rest = &rest[sign.len()..];
            Kind::Sign(sign)
        } else {
            return Err(PathError::Unexpected { found: first.to_string(), at });
        };
        tokens.push(Token { kind, at });
    }
}

/// Digits, and a fraction when there is one (`1.50`, but not the `1.` of `1.toString()`).
fn end_of_number(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    if text[whole..].starts_with('.') {
        let fraction = digits(whole + 1);
        if fraction > 0 {
            return whole + 1 + fraction;
        }
    }
    whole
}

/// The text after an opening quote: the literal, and what follows its closing quote.
fn quoted(text: &str, quote: char) -> Result<(String, &str), PathError> {
    let mut literal = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter == quote => return Ok((literal, &text[at + 1..])),
            '\\' => literal.push(match letters.next().ok_or(PathError::EndsEarly)?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'f' => '\u{c}',
                other => other,
            }),
            other => literal.push(other),
        }
    }
    Err(PathError::EndsEarly)
}
