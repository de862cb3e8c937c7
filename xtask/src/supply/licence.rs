//! Licence expressions (SPDX 2.3, annex D), as far as crates use them: names, `AND`, `OR`, `WITH`,
//! parentheses, and the older `/` for `OR`.

/// Whether the licences allowed satisfy an expression.
pub fn allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let fits = either(&mut words, allowed);
    // What is left over was not understood, and what is not understood is not allowed.
    fits && words.is_empty()
}

/// `a OR b OR …`; the words stand in reverse.
fn either(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut fits = both(words, allowed);
    while words.last() == Some(&"OR") {
        words.pop();
        fits |= both(words, allowed);
    }
    fits
}

/// `a AND b AND …`, which binds more than `OR`.
fn both(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    let mut fits = one(words, allowed);
    while words.last() == Some(&"AND") {
        words.pop();
        fits &= one(words, allowed);
    }
    fits
}

fn one(words: &mut Vec<&str>, allowed: &[String]) -> bool {
    match words.pop() {
        Some("(") => {
            let fits = either(words, allowed);
            words.pop() == Some(")") && fits
        }
        Some(name) if words.last() == Some(&"WITH") => {
            words.pop();
            let exception = words.pop().unwrap_or_default();
            allowed.contains(&format!("{name} WITH {exception}"))
        }
        Some(name) => allowed.iter().any(|licence| licence == name),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    fn check(expression: &str, expected: bool) {
        let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        assert_eq!(super::allowed(expression, &allowed), expected, "{expression}");
    }

    #[test]
    fn an_expression_is_satisfied_as_written() {
        check("MIT", true);
        check("GPL-3.0 OR MIT", true);
        check("GPL-3.0/MIT", true);
        check("MIT AND ISC", true);
        check("MIT AND GPL-3.0", false);
        check("(GPL-3.0 OR MIT) AND ISC", true);
        check("GPL-3.0 OR MIT AND GPL-3.0", false);
        check("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true);
        check("MIT WITH LLVM-exception", false);
    }

    #[test]
    fn what_is_not_understood_is_not_allowed() {
        check("", false);
        check("MIT ISC", false);
        check("(MIT", false);
    }
}
