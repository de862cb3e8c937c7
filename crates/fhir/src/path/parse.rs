//! Reading an expression: a lexer, then precedence climbing as FHIRPath orders its operators.

use super::{Expression, Literal};

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The text ends too early.
    #[error("the expression ends too early")]
    EndsEarly,
    /// Something stands where it cannot.
    #[error("unexpected `{found}` at character {at}")]
    Unexpected {
        /// What stands there.
        found: String,
        /// Where, counted in bytes from 0.
        at: usize,
    },
    /// A function of FHIRPath that is not offered here.
    #[error("the function `{0}` is not offered")]
    Function(String),
    /// Longer or deeper than any sensible rule.
    #[error("the expression is too long or too deep")]
    TooLarge,
}

/// Longest expression read, in bytes, and deepest nesting of parentheses.
const LONGEST: usize = 4_000;
const DEEPEST: usize = 40;

pub(super) fn parse(text: &str) -> Result<Expression, PathError> {
    if text.len() > LONGEST {
        return Err(PathError::TooLarge);
    }
    let mut parser = Parser { tokens: lex(text)?, at: 0, depth: 0 };
    let expression = parser.or()?;
    match parser.tokens.get(parser.at) {
        None => Ok(expression),
        Some(token) => Err(token.unexpected()),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Name(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    at: usize,
}

impl Token {
    fn unexpected(&self) -> PathError {
        let found = match &self.kind {
            Kind::Name(text) | Kind::Text(text) | Kind::Number(text) => text.clone(),
            Kind::Sign(sign) => (*sign).to_owned(),
        };
        PathError::Unexpected { found, at: self.at }
    }
}

const SIGNS: [&str; 9] = ["!=", "(", ")", "[", "]", ".", "|", "=", ","];

fn lex(text: &str) -> Result<Vec<Token>, PathError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let kind = if first == '\'' {
            let (literal, after) = lex_text(&rest[1..])?;
            rest = after;
            Kind::Text(literal)
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
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

/// The text after an opening quote: the literal, and what follows its closing quote.
fn lex_text(text: &str) -> Result<(String, &str), PathError> {
    let mut literal = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' => return Ok((literal, &text[at + 1..])),
            '\\' => literal.push(letters.next().ok_or(PathError::EndsEarly)?.1),
            other => literal.push(other),
        }
    }
    Err(PathError::EndsEarly)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn or(&mut self) -> Result<Expression, PathError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(PathError::TooLarge);
        }
        let mut left = self.and()?;
        while self.word("or") {
            left = Expression::Or(left.into(), self.and()?.into());
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, PathError> {
        let mut left = self.equality()?;
        while self.word("and") {
            left = Expression::And(left.into(), self.equality()?.into());
        }
        Ok(left)
    }

    fn equality(&mut self) -> Result<Expression, PathError> {
        let left = self.union()?;
        if self.sign("=") {
            return Ok(Expression::Equal(left.into(), self.union()?.into()));
        }
        if self.sign("!=") {
            let equal = Expression::Equal(left.into(), self.union()?.into());
            return Ok(Expression::Not(equal.into()));
        }
        Ok(left)
    }

    fn union(&mut self) -> Result<Expression, PathError> {
        let mut left = self.typed()?;
        while self.sign("|") {
            left = Expression::Union(left.into(), self.typed()?.into());
        }
        Ok(left)
    }

    fn typed(&mut self) -> Result<Expression, PathError> {
        let left = self.postfix()?;
        if self.word("is") {
            return Ok(Expression::Is(left.into(), self.type_name()?));
        }
        if self.word("as") {
            return Ok(Expression::OfType(left.into(), self.type_name()?));
        }
        Ok(left)
    }

    fn postfix(&mut self) -> Result<Expression, PathError> {
        let mut left = self.term()?;
        loop {
            if self.sign(".") {
                let name = self.name()?;
                left = if self.sign("(") {
                    self.function(left, &name)?
                } else {
                    Expression::Member(left.into(), name.into())
                };
            } else if self.sign("[") {
                left = Expression::Index(left.into(), self.position()?);
                self.expect("]")?;
            } else {
                return Ok(left);
            }
        }
    }

    fn term(&mut self) -> Result<Expression, PathError> {
        let token = self.next()?;
        match token.kind {
            Kind::Text(text) => Ok(Expression::Literal(Literal::Text(text.into()))),
            Kind::Number(digits) => Ok(Expression::Literal(Literal::Number(digits.into()))),
            Kind::Sign("(") => {
                let inner = self.or()?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Name(name) => match name.as_str() {
                "true" => Ok(Expression::Literal(Literal::Truth(true))),
                "false" => Ok(Expression::Literal(Literal::Truth(false))),
                "$this" => Ok(Expression::Here),
                _ if self.sign("(") => self.function(Expression::Here, &name),
                // Types begin with a capital, elements never do.
                _ if name.starts_with(|c: char| c.is_ascii_uppercase()) => Ok(Expression::Root(name.into())),
                _ if name.starts_with('$') => Err(PathError::Unexpected { found: name, at: token.at }),
                _ => Ok(Expression::Member(Expression::Here.into(), name.into())),
            },
            Kind::Sign(_) => Err(token.unexpected()),
        }
    }

    /// A function, its opening parenthesis read.
    fn function(&mut self, on: Expression, name: &str) -> Result<Expression, PathError> {
        let on: Box<Expression> = on.into();
        let expression = match name {
            "where" => Expression::Where(on, self.or()?.into()),
            "exists" if self.peek_sign(")") => Expression::Exists(on),
            "exists" => Expression::Exists(Expression::Where(on, self.or()?.into()).into()),
            "empty" => Expression::Not(Expression::Exists(on).into()),
            "not" => Expression::Not(on),
            "first" => Expression::Index(on, 0),
            "extension" => Expression::Extension(on, self.text()?),
            "resolve" => Expression::Resolve(on),
            "as" | "ofType" => Expression::OfType(on, self.type_name()?),
            "is" => Expression::Is(on, self.type_name()?),
            other => return Err(PathError::Function(other.to_owned())),
        };
        self.expect(")")?;
        Ok(expression)
    }

    fn next(&mut self) -> Result<Token, PathError> {
        let token = self.tokens.get(self.at).cloned().ok_or(PathError::EndsEarly)?;
        self.at += 1;
        Ok(token)
    }

    fn peek_sign(&self, sign: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token { kind: Kind::Sign(found), .. }) if *found == sign)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.peek_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token { kind: Kind::Name(found), .. }) if found == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), PathError> {
        if self.sign(sign) { Ok(()) } else { Err(self.next()?.unexpected()) }
    }

    fn name(&mut self) -> Result<String, PathError> {
        let token = self.next()?;
        match token.kind {
            Kind::Name(name) => Ok(name),
            _ => Err(token.unexpected()),
        }
    }

    fn text(&mut self) -> Result<Box<str>, PathError> {
        let token = self.next()?;
        match token.kind {
            Kind::Text(text) => Ok(text.into()),
            _ => Err(token.unexpected()),
        }
    }

    fn position(&mut self) -> Result<usize, PathError> {
        let token = self.next()?;
        match &token.kind {
            Kind::Number(digits) => digits.parse().map_err(|_| token.unexpected()),
            _ => Err(token.unexpected()),
        }
    }

    /// A type, with or without the name of its model (`FHIR.Patient`).
    fn type_name(&mut self) -> Result<Box<str>, PathError> {
        let name = self.name()?;
        if (name == "FHIR" || name == "System") && self.sign(".") {
            return Ok(self.name()?.into());
        }
        Ok(name.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(on: Expression, name: &str) -> Expression {
        Expression::Member(on.into(), name.into())
    }

    fn root(name: &str) -> Expression {
        Expression::Root(name.into())
    }

    #[test]
    fn operators_bind_as_fhirpath_orders_them() {
        let path = "Patient.deceased.exists() and Patient.deceased != false";
        let deceased = || member(root("Patient"), "deceased");
        let differs = Expression::Not(
            Expression::Equal(deceased().into(), Expression::Literal(Literal::Truth(false)).into()).into(),
        );
        let expected = Expression::And(Expression::Exists(deceased().into()).into(), differs.into());
        assert_eq!(parse(path), Ok(expected));

        let path = "a as Quantity | b as Range";
        let here = |name| member(Expression::Here, name);
        let expected = Expression::Union(
            Expression::OfType(here("a").into(), "Quantity".into()).into(),
            Expression::OfType(here("b").into(), "Range".into()).into(),
        );
        assert_eq!(parse(path), Ok(expected));
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        assert_eq!(parse("Patient.name.count()"), Err(PathError::Function("count".to_owned())));
        assert_eq!(parse("Patient."), Err(PathError::EndsEarly));
        assert_eq!(parse("Patient.name)"), Err(PathError::Unexpected { found: ")".to_owned(), at: 12 }));
        assert_eq!(parse("a + b"), Err(PathError::Unexpected { found: "+".to_owned(), at: 2 }));
        assert_eq!(parse("'never closed"), Err(PathError::EndsEarly));
        assert_eq!(parse(&"(".repeat(500)), Err(PathError::TooLarge));
        assert_eq!(parse(""), Err(PathError::EndsEarly));
    }

    #[test]
    fn quotes_inside_texts_are_escaped() {
        let expected = Expression::Literal(Literal::Text("l'auteur".into()));
        assert_eq!(parse(r"'l\'auteur'"), Ok(expected));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"[a-zA-Z0-9 .|()\[\]'\\=!$é-]{0,60}") {
            let _ = parse(&text);
        }
    }
}
