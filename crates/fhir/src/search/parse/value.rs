//! Values and modifiers, by type of parameter.

mod date;
mod number;
mod reference;
mod token;

use compact_str::CompactString;

use crate::{
    outcome::Issue,
    primitive::{fold, is_id},
    search::{
        index::Param,
        parameters::{Meaning, Offer, Parameter},
        query::{Clause, Comparison, ParamKind, ReferenceTest, StringTest, Test, UriTest},
    },
};

use super::{
    chain::{Judged, Lowering, Refusal, any},
    level::Leaf,
    refusal, split,
};

/// The longest address, in bytes, that others are above or below. Beyond, an index may have no more than a digest of
/// an address, of which no part can be told.
const LONGEST_PART: usize = 896;
const PART_TOO_LONG: (&str, &str) = (
    "with :below and :above an address has at most 896 bytes",
    "avec :below et :above, une adresse a au plus 896 octets",
);

impl<'r> Lowering<'r> {
    /// The clause of a leaf on the type its offer is of.
    pub(super) fn value(&mut self, offer: &'static Offer, leaf: &Leaf<'r>) -> Result<Judged, Refusal<'r>> {
        let values = split::at(leaf.value, ',');
        if values.len() > self.request.context.limits.values {
            return Err(refusal::too_many_values(leaf.whole, self.request.context.limits.values).into());
        }
        if values.iter().any(|value| value.trim().is_empty()) {
            return Err(refusal::empty_value(leaf.whole).into());
        }
        if leaf.modifier == Some("missing") {
            return Ok(missing(offer, leaf)?);
        }
        let judged = match &offer.meaning {
            Meaning::Id => ids(offer, leaf, &values)?,
            Meaning::LastUpdated => {
                plain(offer, leaf)?;
                self.each(leaf, &values, |this, value| this.date(leaf, value).map(Clause::LastUpdated))?
            }
            Meaning::Parameter(parameter) => self.of_parameter(offer, parameter, None, leaf, &values)?,
            Meaning::Restricted(parameter, target) => {
                self.of_parameter(offer, parameter, Some(target), leaf, &values)?
            }
            Meaning::Identifiers(_, param) => {
                let tokens = self.each(leaf, &values, |this, value| {
                    this.token(leaf, value).map(|test| Clause::Has(*param, Test::Token(test)))
                })?;
                match leaf.modifier {
                    None => tokens,
                    Some("not") => Judged::does_not(tokens.clause),
                    Some(other) => return Err(unknown_modifier(leaf, other, offer).into()),
                }
            }
            // A chain was followed before.
            Meaning::Chain(_) => return Err(Refusal::Unknown { whole: leaf.whole, name: leaf.name }),
        };
        Ok(judged)
    }

    fn of_parameter(
        &mut self,
        offer: &'static Offer,
        parameter: &'static Parameter,
        target: Option<&'static str>,
        leaf: &Leaf<'r>,
        values: &[&str],
    ) -> Result<Judged, Issue> {
        let param = parameter.param;
        match parameter.kind {
            ParamKind::String => {
                let test: fn(&str) -> StringTest = match leaf.modifier {
                    None => |text| StringTest::StartsWith(fold(text)),
                    Some("contains") => |text| StringTest::Contains(fold(text)),
                    Some("exact") => |text| StringTest::Exact(text.trim().into()),
                    Some(other) => return Err(unknown_modifier(leaf, other, offer)),
                };
                self.each(leaf, values, |_, value| {
                    let text = split::unescape(value);
                    if fold(&text).is_empty() {
                        return Err(refusal::empty_value(leaf.whole));
                    }
                    Ok(Clause::Has(param, Test::String(test(&text))))
                })
            }
            ParamKind::Token => self.tokens(offer, parameter, leaf, values),
            ParamKind::Reference => self.references(offer, parameter, target, leaf, values),
            ParamKind::Date => {
                plain(offer, leaf)?;
                self.each(leaf, values, |this, value| {
                    this.date(leaf, value).map(|test| Clause::Has(param, Test::Date(test)))
                })
            }
            ParamKind::Number => {
                plain(offer, leaf)?;
                self.each(leaf, values, |_, value| {
                    number::number(leaf, value).map(|test| Clause::Has(param, Test::Number(test)))
                })
            }
            ParamKind::Quantity => {
                plain(offer, leaf)?;
                self.each(leaf, values, |_, value| number::quantity(leaf, value).map(|test| Clause::Has(param, test)))
            }
            ParamKind::Uri => {
                let test: fn(CompactString) -> UriTest = match leaf.modifier {
                    None => UriTest::Is,
                    Some("below") => UriTest::Below,
                    Some("above") => UriTest::Above,
                    Some(other) => return Err(unknown_modifier(leaf, other, offer)),
                };
                let of_a_part = leaf.modifier.is_some();
                self.each(leaf, values, |_, value| {
                    let address = split::unescape(value);
                    let address = address.trim();
                    if of_a_part && address.len() > LONGEST_PART {
                        return Err(refusal::bad_value(leaf.whole, value, PART_TOO_LONG));
                    }
                    Ok(Clause::Has(param, Test::Uri(test(address.into()))))
                })
            }
            ParamKind::Special | ParamKind::Composite => {
                plain(offer, leaf)?;
                self.each(leaf, values, |_, value| number::near(leaf, value).map(|test| Clause::Has(param, test)))
            }
        }
    }

    /// Values separated by commas: one of them is enough.
    fn each(
        &mut self,
        leaf: &Leaf<'r>,
        values: &[&str],
        mut clause: impl FnMut(&mut Self, &str) -> Result<Clause, Issue>,
    ) -> Result<Judged, Issue> {
        let mut clauses = Vec::with_capacity(values.len());
        for value in values {
            self.charge(leaf.whole)?;
            let clause = clause(self, value)?;
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        Ok(Judged::holds(any(clauses)))
    }
}

/// No modifier but those handled before.
fn plain(offer: &Offer, leaf: &Leaf<'_>) -> Result<(), Issue> {
    leaf.modifier.map_or(Ok(()), |other| Err(unknown_modifier(leaf, other, offer)))
}

fn unknown_modifier(leaf: &Leaf<'_>, modifier: &str, offer: &Offer) -> Issue {
    refusal::unknown_modifier(leaf.whole, modifier, offer)
}

fn missing(offer: &'static Offer, leaf: &Leaf<'_>) -> Result<Judged, Issue> {
    let param = |parameter: &'static Parameter| any(present(parameter));
    let clause = match &offer.meaning {
        Meaning::Parameter(parameter) => param(parameter),
        Meaning::Restricted(parameter, target) => {
            Clause::Has(parameter.param, Test::Reference(ReferenceTest::OfType(vec![target])))
        }
        Meaning::Identifiers(_, param) => Clause::Present(*param),
        Meaning::Id | Meaning::LastUpdated | Meaning::Chain(_) => {
            return Err(unknown_modifier(leaf, "missing", offer));
        }
    };
    match leaf.value {
        "false" => Ok(Judged::holds(clause)),
        "true" => Ok(Judged::does_not(clause)),
        other => Err(refusal::bad_value(leaf.whole, other, ("it must be true or false", "attendu : true ou false"))),
    }
}

/// A reference may say only the identifier of what it points to: it is there all the same.
fn present(parameter: &Parameter) -> Vec<Clause> {
    let params: [Option<Param>; 2] = [Some(parameter.param), parameter.identifier];
    params.into_iter().flatten().map(Clause::Present).collect()
}

fn ids(offer: &Offer, leaf: &Leaf<'_>, values: &[&str]) -> Result<Judged, Issue> {
    let mut ids: Vec<CompactString> = Vec::new();
    for value in values {
        let id = split::unescape(value);
        if !is_id(id.trim()) {
            let wanted = (
                "an id has 1 to 64 letters, digits, \"-\" and \".\"",
                "un identifiant a 1 à 64 lettres, chiffres, « - » et « . »",
            );
            return Err(refusal::bad_value(leaf.whole, value, wanted));
        }
        let id = CompactString::from(id.trim());
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match leaf.modifier {
        None => Ok(Judged::holds(Clause::Id(ids))),
        Some("not") => Ok(Judged::does_not(Clause::Id(ids))),
        Some(other) => Err(unknown_modifier(leaf, other, offer)),
    }
}

/// The prefix of a value, and the rest of it; `Err` for two letters that are no prefix.
fn prefix(value: &str) -> Result<(Option<Prefix>, &str), ()> {
    let value = value.trim();
    if !value.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok((None, value));
    }
    let (Some(letters), Some(rest)) = (value.get(..2), value.get(2..)) else { return Err(()) };
    let prefix = match letters {
        "eq" => Prefix::Compares(Comparison::Within),
        "ne" => Prefix::Compares(Comparison::NotWithin),
        "gt" => Prefix::Compares(Comparison::Greater),
        "lt" => Prefix::Compares(Comparison::Less),
        "ge" => Prefix::Compares(Comparison::GreaterOrWithin),
        "le" => Prefix::Compares(Comparison::LessOrWithin),
        "sa" => Prefix::Compares(Comparison::After),
        "eb" => Prefix::Compares(Comparison::Before),
        "ap" => Prefix::Approximately,
        _ => return Err(()),
    };
    Ok((Some(prefix), rest))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    Compares(Comparison),
    Approximately,
}

const PREFIXES: refusal::Why = (
    "it may begin with one of the prefixes eq, ne, gt, lt, ge, le, sa, eb, ap, and with no other letters",
    "elle peut commencer par l'un des préfixes eq, ne, gt, lt, ge, le, sa, eb, ap, et par aucune autre lettre",
);
