//! References: `Patient/1`, `1`, a URL, with or without a type, or by the identifier of the target.

use crate::{
    outcome::Issue,
    primitive::is_id,
    release::view,
    search::{
        extract,
        index::Target,
        parameters::{Offer, Parameter, reading::Reading},
        parse::{
            chain::{Judged, Lowering},
            level::Leaf,
            refusal, split,
        },
        query::{Clause, ReferenceTest, Test},
    },
};

impl<'r> Lowering<'r> {
    /// `target` is the type that the name of the parameter means (`patient`).
    pub(super) fn references(
        &mut self,
        offer: &'static Offer,
        parameter: &'static Parameter,
        target: Option<&'static str>,
        leaf: &Leaf<'r>,
        values: &[&str],
    ) -> Result<Judged, Issue> {
        let targets = offer.targets();
        let wanted = match (leaf.modifier, parameter.identifier) {
            (None, _) => target,
            (Some("identifier"), Some(param)) => {
                if target.is_some() {
                    let why = (
                        "an identifier says nothing of the type of what it identifies; ask for the reference itself",
                        "un identifiant ne dit rien du type de ce qu'il désigne ; interroger la référence elle-même",
                    );
                    return Err(refusal::not_supported(leaf.whole, why));
                }
                return self.each(leaf, values, |this, value| {
                    this.token(leaf, value).map(|test| Clause::Has(param, Test::Token(test)))
                });
            }
            (Some(name), _) if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                match targets.iter().find(|target| **target == name) {
                    Some(target) => Some(*target),
                    None => return Err(refusal::wrong_target(leaf.whole, leaf.name, name, &targets)),
                }
            }
            (Some(other), _) => return Err(super::unknown_modifier(leaf, other, offer)),
        };
        let types = wanted.map_or(targets, |wanted| vec![wanted]);
        self.each(leaf, values, |this, value| {
            let test = this.reference(parameter, &types, leaf, value)?;
            Ok(Clause::Has(parameter.param, Test::Reference(test)))
        })
    }

    fn reference(
        &self,
        parameter: &Parameter,
        types: &[&'static str],
        leaf: &Leaf<'r>,
        value: &str,
    ) -> Result<ReferenceTest, Issue> {
        let text = split::unescape(value);
        let text = text.trim();
        match extract::target(text, self.request.context.bases) {
            Some(Target::Local { resource_type, id }) => {
                let fits = types.iter().any(|known| *known == resource_type);
                // FHIR has more types than are stored here; nothing can refer to those, and that
                // is not the client's mistake.
                let stored = view().resource(&resource_type).is_some();
                let exists = view().resource_name(&resource_type).is_some();
                if fits || (exists && !stored) {
                    Ok(ReferenceTest::Is(Target::Local { resource_type, id }))
                } else {
                    Err(refusal::wrong_target(leaf.whole, leaf.name, &resource_type, types))
                }
            }
            Some(Target::Elsewhere(url)) => {
                let canonical = parameter.routes.iter().any(|(_, reading)| *reading == Reading::Canonical);
                if url.contains(':') || (canonical && parameter.identifier.is_none()) {
                    Ok(ReferenceTest::Is(Target::Elsewhere(url)))
                } else if is_id(&url) && !types.is_empty() {
                    Ok(ReferenceTest::Id { id: url, types: types.to_vec() })
                } else {
                    Err(refusal::bad_value(leaf.whole, value, FORMS))
                }
            }
            None => Err(refusal::bad_value(leaf.whole, value, FORMS)),
        }
    }
}

const FORMS: refusal::Why = (
    "a reference is written Patient/1, 1 or as an absolute URL",
    "une référence s'écrit Patient/1, 1 ou comme URL absolue",
);
