//! Reading an expression: precedence climbing as FHIRPath orders its operators.

use super::{
    Comparison, Expression, Literal, Pattern,
    lex::{Kind, Token, lex},
};

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
    /// A function or variable of FHIRPath that is not offered here.
    #[error("the function `{0}` is not offered")]
    Function(String),
    /// A regular expression that cannot be read.
    #[error("`{0}` is not a regular expression")]
    Pattern(String),
    /// Longer or deeper than any sensible rule.
    #[error("the expression is too long or too deep")]
    TooLarge,
}

/// Longest expression read, in bytes, and deepest nesting of parentheses.
const LONGEST: usize = 4_000;
const DEEPEST: usize = 40;
/// The most operators and steps one after the other: each is one level more of the tree.
const MOST_LINKS: usize = 200;

pub(super) fn parse(text: &str) -> Result<Expression, PathError> {
    if text.len() > LONGEST {
        return Err(PathError::TooLarge);
    }
    let mut parser = Parser { tokens: lex(text)?, at: 0, depth: 0, links: 0 };
    let expression = parser.whole()?;
    match parser.tokens.get(parser.at) {
        None => Ok(expression),
        Some(token) => Err(token.unexpected()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    links: usize,
}

type Binary = fn(Box<Expression>, Box<Expression>) -> Expression;

impl Parser {
    fn whole(&mut self) -> Result<Expression, PathError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(PathError::TooLarge);
        }
        let expression = self.implies()?;
        self.depth -= 1;
        Ok(expression)
    }

    /// One more link of a chain, which must not grow without end.
    const fn link(&mut self) -> Result<(), PathError> {
        self.links += 1;
        if self.links > MOST_LINKS { Err(PathError::TooLarge) } else { Ok(()) }
    }

    fn implies(&mut self) -> Result<Expression, PathError> {
        let mut left = self.or()?;
        while self.word("implies") {
            self.link()?;
            left = Expression::Implies(left.into(), self.or()?.into());
        }
        Ok(left)
    }

    fn or(&mut self) -> Result<Expression, PathError> {
        let mut left = self.and()?;
        loop {
            let operator: Binary = if self.word("or") {
                Expression::Or
            } else if self.word("xor") {
                Expression::Xor
            } else {
                return Ok(left);
            };
            self.link()?;
            left = operator(left.into(), self.and()?.into());
        }
    }

    fn and(&mut self) -> Result<Expression, PathError> {
        let mut left = self.membership()?;
        while self.word("and") {
            self.link()?;
            left = Expression::And(left.into(), self.membership()?.into());
        }
        Ok(left)
    }

    fn membership(&mut self) -> Result<Expression, PathError> {
        let left = self.equality()?;
        if self.word("in") {
            return Ok(Expression::In(left.into(), self.equality()?.into()));
        }
        Ok(left)
    }

    fn equality(&mut self) -> Result<Expression, PathError> {
        let left = self.inequality()?;
        if self.sign("=") {
            return Ok(Expression::Equal(left.into(), self.inequality()?.into()));
        }
        if self.sign("!=") {
            let equal = Expression::Equal(left.into(), self.inequality()?.into());
            return Ok(Expression::Not(equal.into()));
        }
        Ok(left)
    }

    fn inequality(&mut self) -> Result<Expression, PathError> {
        const ORDERS: [(&str, Comparison); 4] = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let left = self.union()?;
        for (sign, comparison) in ORDERS {
            if self.sign(sign) {
                return Ok(Expression::Compare(left.into(), comparison, self.union()?.into()));
            }
        }
        Ok(left)
    }

    fn union(&mut self) -> Result<Expression, PathError> {
        let mut left = self.typed()?;
        while self.sign("|") {
            self.link()?;
            left = Expression::Union(left.into(), self.typed()?.into());
        }
        Ok(left)
    }

    fn typed(&mut self) -> Result<Expression, PathError> {
        let left = self.additive()?;
        if self.word("is") {
            return Ok(Expression::Is(left.into(), self.type_name()?));
        }
        if self.word("as") {
            return Ok(Expression::OfType(left.into(), self.type_name()?));
        }
        Ok(left)
    }

    fn additive(&mut self) -> Result<Expression, PathError> {
        let mut left = self.postfix()?;
        loop {
            let operator: Binary = if self.sign("&") {
                Expression::Join
            } else if self.sign("+") {
                Expression::Plus
            } else {
                return Ok(left);
            };
            self.link()?;
            left = operator(left.into(), self.postfix()?.into());
        }
    }

    fn postfix(&mut self) -> Result<Expression, PathError> {
        let mut left = self.term()?;
        loop {
            if self.sign(".") {
                self.link()?;
                let name = self.name()?;
                left = if self.sign("(") {
                    self.function(left, &name)?
                } else {
                    Expression::Member(left.into(), name.into())
                };
            } else if self.sign("[") {
                self.link()?;
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
                let inner = self.whole()?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Sign("%") => self.variable(),
            Kind::Quoted(name) => Ok(Expression::Member(Expression::Here.into(), name.into())),
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

    fn variable(&mut self) -> Result<Expression, PathError> {
        match self.name()?.as_str() {
            "resource" => Ok(Expression::Resource),
            "rootResource" => Ok(Expression::Container),
            "ucum" => Ok(Expression::Literal(Literal::Text("http://unitsofmeasure.org".into()))),
            other => Err(PathError::Function(format!("%{other}"))),
        }
    }

    /// A function, its opening parenthesis read.
    fn function(&mut self, on: Expression, name: &str) -> Result<Expression, PathError> {
        // The functions inside one another are levels of the tree too.
        self.depth += 1;
        let on: Box<Expression> = on.into();
        let expression = match name {
            "where" => Expression::Where(on, self.whole()?.into()),
            "select" => Expression::Select(on, self.whole()?.into()),
            "all" => Expression::All(on, self.whole()?.into()),
            "exists" if self.peek_sign(")") => Expression::Exists(on),
            "exists" => Expression::Exists(Expression::Where(on, self.whole()?.into()).into()),
            "empty" => Expression::Not(Expression::Exists(on).into()),
            "not" => Expression::Not(on),
            "iif" => self.iif(on)?,
            "first" => Expression::Index(on, 0),
            "tail" => Expression::Tail(on),
            "count" => Expression::Count(on),
            "isDistinct" => Expression::IsDistinct(on),
            "allFalse" => Expression::AllFalse(on),
            "combine" => Expression::Union(on, self.whole()?.into()),
            "children" => Expression::Children(on),
            "descendants" => Expression::Descendants(on),
            "hasValue" => Expression::HasValue(on),
            "extension" => Expression::Extension(on, self.text()?),
            "resolve" => Expression::Resolve(on),
            "as" | "ofType" => Expression::OfType(on, self.type_name()?),
            "is" => Expression::Is(on, self.type_name()?),
            "memberOf" => Expression::MemberOf(on, self.text()?),
            "startsWith" => Expression::StartsWith(on, self.whole()?.into()),
            "contains" => Expression::Contains(on, self.whole()?.into()),
            "matches" => Expression::Matches(on, self.pattern()?),
            "replaceMatches" => {
                let pattern = self.pattern()?;
                self.expect(",")?;
                Expression::Replace(on, pattern, self.text()?)
            }
            "toInteger" => Expression::ToInteger(on),
            "toString" => Expression::ToText(on),
            // What it would write to a log is left out.
            "trace" => {
                self.text()?;
                if self.sign(",") {
                    self.whole()?;
                }
                *on
            }
            other => return Err(PathError::Function(other.to_owned())),
        };
        self.expect(")")?;
        self.depth -= 1;
        Ok(expression)
    }

    fn iif(&mut self, on: Box<Expression>) -> Result<Expression, PathError> {
        let condition = self.whole()?;
        self.expect(",")?;
        let then = self.whole()?;
        let otherwise = if self.sign(",") { self.whole()? } else { Expression::Nothing };
        Ok(Expression::If(on, [condition, then, otherwise].into()))
    }

    fn pattern(&mut self) -> Result<Pattern, PathError> {
        let text = self.text()?;
        Pattern::read(&text).ok_or_else(|| PathError::Pattern(text.into()))
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
            Kind::Name(name) | Kind::Quoted(name) => Ok(name),
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
        assert_eq!(parse("Patient.name.skip(2)"), Err(PathError::Function("skip".to_owned())));
        assert_eq!(parse("%sct"), Err(PathError::Function("%sct".to_owned())));
        assert_eq!(parse("name.matches('[')"), Err(PathError::Pattern("[".to_owned())));
        assert_eq!(parse("Patient."), Err(PathError::EndsEarly));
        assert_eq!(parse("Patient.name)"), Err(PathError::Unexpected { found: ")".to_owned(), at: 12 }));
        assert_eq!(parse("a * b"), Err(PathError::Unexpected { found: "*".to_owned(), at: 2 }));
        assert_eq!(parse("'never closed"), Err(PathError::EndsEarly));
        assert_eq!(parse(&"(".repeat(500)), Err(PathError::TooLarge));
        assert_eq!(parse(&"where(".repeat(500)), Err(PathError::TooLarge));
        assert_eq!(parse(&format!("a{}", ".a".repeat(500))), Err(PathError::TooLarge));
        assert_eq!(parse(&format!("a{}", " or a".repeat(500))), Err(PathError::TooLarge));
        assert_eq!(parse(""), Err(PathError::EndsEarly));
    }

    #[test]
    fn quotes_inside_texts_are_escaped() {
        let expected = Expression::Literal(Literal::Text("l'auteur".into()));
        assert_eq!(parse(r"'l\'auteur'"), Ok(expected));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"[a-zA-Z0-9 .|()\[\]'`\\=!<>&+%,$é-]{0,60}") {
            let _ = parse(&text);
        }
    }
}
