//! Tokens: `code`, `system|code`, `|code`, `system|`.

use compact_str::{CompactString, format_compact};

use crate::{
    outcome::Issue,
    release::{Binding, Content, Primitive, view},
    search::{
        parameters::{self, Offer, Parameter, reading::Reading},
        parse::{
            chain::{Judged, Lowering, any},
            level::Leaf,
            refusal, split,
        },
        query::{Clause, SystemTest, Test, TokenTest},
    },
    terminology::systems::canonical_system,
};

impl<'r> Lowering<'r> {
    pub(super) fn tokens(
        &mut self,
        offer: &'static Offer,
        parameter: &'static Parameter,
        leaf: &Leaf<'r>,
        values: &[&str],
    ) -> Result<Judged, Issue> {
        match (leaf.modifier, parameter.of_type) {
            (None, _) => self.each(leaf, values, |this, value| this.code(parameter, leaf, value)),
            (Some("not"), _) => {
                let judged = self.each(leaf, values, |this, value| this.code(parameter, leaf, value))?;
                Ok(Judged::does_not(judged.clause))
            }
            (Some("of-type"), Some(param)) => self
                .each(leaf, values, |_, value| of_type(leaf, value).map(|test| Clause::Has(param, Test::Token(test)))),
            (Some(other), _) => Err(super::unknown_modifier(leaf, other, offer)),
        }
    }

    /// A token with its system under its canonical name.
    pub(super) fn token(&mut self, leaf: &Leaf<'r>, value: &str) -> Result<TokenTest, Issue> {
        let mut parts = split::at(value, '|');
        if let ([one], Some((system, code))) = (&parts[..], value.split_once("\\|")) {
            // Printed that way in a volet, where a table needed the escape. No code begins so.
            if !one.is_empty() && ["http://", "https://", "urn:"].iter().any(|start| system.starts_with(start)) {
                let what = (
                    "The bar between system and code was escaped (\\|); it was read as a bar.",
                    "La barre entre système et code était échappée (\\|) ; elle a été lue comme une barre.",
                );
                self.notes.push(refusal::repaired(leaf.whole, what));
                parts = vec![system, code];
            }
        }
        let part = |text: &str| CompactString::from(split::unescape(text).trim());
        let (system, code) = match parts[..] {
            [code] => (None, part(code)),
            [system, code] => (Some(part(system)), part(code)),
            _ => return Err(refusal::bad_value(leaf.whole, value, FORMS)),
        };
        if code.is_empty() && system.as_ref().is_none_or(|system| system.is_empty()) {
            return Err(refusal::bad_value(leaf.whole, value, FORMS));
        }
        let code = Some(code).filter(|code| !code.is_empty());
        let system = match system {
            None => SystemTest::Any,
            Some(system) if system.is_empty() => SystemTest::Absent,
            Some(system) => SystemTest::Is(canonical_system(&system, code.as_deref()).into()),
        };
        Ok(TokenTest { system, code })
    }

    fn code(&mut self, parameter: &'static Parameter, leaf: &Leaf<'r>, value: &str) -> Result<Clause, Issue> {
        let param = parameter.param;
        let mut test = self.token(leaf, value)?;
        if parameter.readings() != [Reading::Code] {
            return Ok(Clause::Has(param, Test::Token(test)));
        }
        if is_boolean(parameter) && !matches!(test.code.as_deref(), Some("true" | "false")) {
            let wanted = ("it must be true or false", "attendu : true ou false");
            return Err(refusal::bad_value(leaf.whole, value, wanted));
        }
        // The system of a bare code is the one its binding says; nothing is stored of it.
        if let SystemTest::Is(system) = &test.system {
            match (implied(parameter, system, test.code.as_deref()), &test.code) {
                (Implied::System, Some(_)) => test.system = SystemTest::Any,
                (Implied::System, None) => return Ok(Clause::Present(param)),
                (Implied::OtherSystem, _) => return Ok(Clause::never()),
            }
        }
        let said = test.code.as_deref();
        let codes = said.map(|code| parameters::indexed_codes(self.release(), param, code)).unwrap_or_default();
        let is = |code: &str| {
            let test = TokenTest { system: test.system.clone(), code: Some(code.into()) };
            Clause::Has(param, Test::Token(test))
        };
        Ok(any(codes.into_iter().map(is).collect()))
    }
}

/// `system|code|value`: the type of an identifier, and its value.
fn of_type(leaf: &Leaf<'_>, value: &str) -> Result<TokenTest, Issue> {
    let parts: Vec<String> =
        split::at(value, '|').into_iter().map(|part| split::unescape(part).trim().to_owned()).collect();
    match &parts[..] {
        [system, code, value] if !system.is_empty() && !code.is_empty() && !value.is_empty() => {
            let system = SystemTest::Is(canonical_system(system, Some(code)).into());
            Ok(TokenTest { system, code: Some(format_compact!("{code}|{value}")) })
        }
        _ => {
            let wanted = (
                "it is written system of the type|code of the type|value",
                "elle s'écrit système du type|code du type|valeur",
            );
            Err(refusal::bad_value(leaf.whole, value, wanted))
        }
    }
}

const FORMS: refusal::Why = (
    "a code is written code, system|code, |code or system|, a bar inside either as \\|",
    "un code s'écrit code, système|code, |code ou système|, une barre qui en fait partie comme \\|",
);

enum Implied {
    /// The codes of the parameter are of that system.
    System,
    OtherSystem,
}

fn implied(parameter: &Parameter, system: &str, code: Option<&str>) -> Implied {
    let lists = parameter
        .elements()
        .filter_map(|element| element.binding)
        .filter_map(|Binding { value_set, .. }| view().code_list(value_set));
    let same = |listed: &str| canonical_system(listed, code) == system;
    for list in lists {
        let found = match code {
            Some(code) => list.get(code).is_some_and(|listed| same(listed.system)),
            None => list.codes().filter_map(|code| list.get(code)).any(|listed| same(listed.system)),
        };
        if found {
            return Implied::System;
        }
    }
    // Languages and media types are bound to lists too long to hold; FHIR names their systems.
    match system {
        "urn:ietf:bcp:47"
        | "urn:ietf:bcp:13"
        | "urn:ietf:rfc:3986"
        | "http://terminology.hl7.org/CodeSystem/special-values" => Implied::System,
        _ => Implied::OtherSystem,
    }
}

fn is_boolean(parameter: &Parameter) -> bool {
    let boolean = Content::Primitive(Primitive::Boolean);
    parameter.routes.is_empty()
        || parameter
            .routes
            .iter()
            .all(|(route, _)| route.element.is_some_and(|element| element.types.iter().all(|t| t.content == boolean)))
}
