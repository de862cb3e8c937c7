//! What a token, or a provider asked about one, says of its bearer.

use serde_json::{Map, Value};

/// Claims, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// These.
    #[must_use]
    pub const fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// These, and of others what is not said here.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        for (name, value) in others.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// Those that stand at the beginning of one of these paths: what is not read need not be kept.
    #[must_use]
    pub fn at_most<'p>(self, paths: impl IntoIterator<Item = &'p str>) -> Self {
        let mut kept = Map::new();
        let mut rest = self.0;
        for path in paths {
            for name in [path, path.split('.').next().unwrap_or_default()] {
                if let Some((name, value)) = rest.remove_entry(name) {
                    kept.insert(name, value);
                }
            }
        }
        Self(kept)
    }

    /// As an object, to be kept.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// What stands at a path: names with points between, `SubjectRefPro.exercices.codeProfession`. Every
    /// item of a list on the way is gone into. A name with points in it (`https://example.org/role`) is
    /// tried whole first.
    #[must_use]
    pub fn at<'c>(&'c self, path: &str) -> Vec<&'c Value> {
        if let Some(whole) = self.0.get(path) {
            return spread(whole);
        }
        let mut names = path.split('.');
        let first = names.next().and_then(|name| self.0.get(name));
        names.fold(first.map(spread).unwrap_or_default(), |found, name| {
            found.into_iter().filter_map(|value| value.get(name)).flat_map(spread).collect()
        })
    }

    /// The texts at a path, without blanks around; a number counts as the text of it.
    #[must_use]
    pub fn texts(&self, path: &str) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        self.at(path).into_iter().filter_map(text).filter(|text| !text.is_empty()).collect()
    }

    /// The first text at a path.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        self.texts(path).into_iter().next()
    }

    /// The seconds since 1970 at a name (`exp`, `nbf`, `iat`): RFC 7519 allows a fraction.
    #[must_use]
    pub fn seconds(&self, name: &str) -> Option<Seconds> {
        let value = self.0.get(name)?;
        Some(match value.as_f64().filter(|seconds| seconds.is_finite()) {
            #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end")]
            Some(seconds) => Seconds::At(seconds.floor() as i64),
            None => Seconds::Unreadable,
        })
    }
}

/// A moment in a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seconds {
    /// Seconds since 1970 UTC.
    At(i64),
    /// Something else stands there.
    Unreadable,
}

fn spread(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(spread).collect(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        Claims::new(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_path_goes_into_every_item_of_a_list() {
        let professional = claims(json!({ "SubjectRefPro": { "exercices": [
            { "codeProfession": "60", "activities": [{ "numeroFinessSite": "1" }, { "numeroFinessSite": "2" }] },
            { "codeProfession": "10", "activities": [{ "numeroFinessSite": "" }] },
        ] } }));
        assert_eq!(professional.texts("SubjectRefPro.exercices.codeProfession"), ["60", "10"]);
        assert_eq!(professional.texts("SubjectRefPro.exercices.activities.numeroFinessSite"), ["1", "2"]);
        assert_eq!(professional.texts("SubjectRefPro.nothing.here"), Vec::<String>::new());
    }

    #[test]
    fn a_name_with_points_is_tried_whole_first() {
        let claims = claims(json!({ "https://example.org/role": "nurse", "https://example": { "org/role": "no" } }));
        assert_eq!(claims.text("https://example.org/role").as_deref(), Some("nurse"));
    }

    #[test]
    fn a_moment_may_have_a_fraction_and_must_be_a_number() {
        let at = |exp: Value| claims(json!({ "exp": exp })).seconds("exp");
        assert_eq!(at(json!(1_700_000_000)), Some(Seconds::At(1_700_000_000)));
        assert_eq!(at(json!(1_700_000_000.9)), Some(Seconds::At(1_700_000_000)));
        assert_eq!(at(json!(1e300)), Some(Seconds::At(i64::MAX)));
        assert_eq!(at(json!("1700000000")), Some(Seconds::Unreadable));
        assert_eq!(claims(json!({})).seconds("exp"), None);
    }
}
