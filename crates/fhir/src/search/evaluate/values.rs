//! The values of a parameter, as they stand in a resource.

use crate::{
    path::evaluate::{Item, Node},
    primitive::{date_range, fold},
    release::view,
    search::{
        extract::{self, ExtractContext},
        index::{Param, Target},
        numbers, parameters,
        query::{NumberTest, ParamKind, ReferenceTest, StringTest, SystemTest, Test, TokenTest, UriTest},
    },
    terminology::systems::canonical_system,
    tree::{Object, Value},
};

use super::compare::ranges;

/// Whether some value of a parameter passes a test.
pub(super) fn any(param: Param, test: &Test, tree: &Object, context: &ExtractContext<'_>) -> bool {
    match test {
        Test::String(test) => texts(param, tree).iter().any(|text| passes_text(test, text)),
        Test::Token(test) => tokens(param, tree).iter().any(|token| passes_token(test, token)),
        Test::Reference(test) => targets(param, tree, context).iter().any(|target| passes_target(test, target)),
        Test::Date(test) => {
            dates(param, tree, context).into_iter().any(|range| ranges(test.comparison, range, (test.low, test.high)))
        }
        Test::Number(test) => numbers_of(param, tree).into_iter().any(|range| passes_number(test, range)),
        Test::Quantity { number, system, code } => quantities(param, tree).into_iter().any(|quantity| {
            let fits = |asked: &Option<compact_str::CompactString>, there: Option<&str>| {
                asked.as_deref().is_none_or(|asked| there == Some(asked))
            };
            passes_number(number, quantity.range) && fits(system, quantity.system) && fits(code, quantity.unit)
        }),
        Test::Uri(test) => uris(param, tree).iter().any(|uri| passes_uri(test, uri)),
        Test::Near { latitude, longitude, metres } => {
            positions(param, tree).into_iter().any(|there| distance((*latitude, *longitude), there) <= *metres)
        }
    }
}

/// Whether a parameter has a value that can be found.
pub(super) fn present(param: Param, tree: &Object, context: &ExtractContext<'_>) -> bool {
    match kind(param) {
        Some(ParamKind::String) => texts(param, tree).iter().any(|text| !fold(text).is_empty()),
        Some(ParamKind::Token) => !tokens(param, tree).is_empty(),
        Some(ParamKind::Reference) => !targets(param, tree, context).is_empty(),
        Some(ParamKind::Date) => !dates(param, tree, context).is_empty(),
        Some(ParamKind::Number) => !numbers_of(param, tree).is_empty(),
        Some(ParamKind::Quantity) => !quantities(param, tree).is_empty(),
        Some(ParamKind::Uri) => !uris(param, tree).is_empty(),
        Some(ParamKind::Special | ParamKind::Composite) => !positions(param, tree).is_empty(),
        None => false,
    }
}

/// The kind of what is indexed under a name: variants of parameters are tokens.
fn kind(param: Param) -> Option<ParamKind> {
    if param.code.contains(':') {
        return Some(ParamKind::Token);
    }
    parameters::parameter_of(param).map(|parameter| parameter.kind)
}

fn nodes(param: Param, tree: &Object) -> Vec<Node<'_>> {
    let Some(parameter) = parameters::parameter_of(param) else { return Vec::new() };
    let items = parameter.path.evaluate(tree, view());
    items.into_iter().filter_map(|item| if let Item::Node(node) = item { Some(node) } else { None }).collect()
}

pub(super) fn texts(param: Param, tree: &Object) -> Vec<&str> {
    let mut texts = Vec::new();
    for node in nodes(param, tree) {
        let parts: &[&str] = match node.type_code {
            "HumanName" => &["family", "given", "prefix", "suffix", "text"],
            "Address" => &["line", "city", "district", "state", "postalCode", "country", "text"],
            _ => &[],
        };
        match node.object() {
            Some(object) => {
                for part in parts {
                    texts.extend(object.get(part).into_iter().flat_map(Value::each).filter_map(Value::as_str));
                }
            }
            None => texts.extend(node.text()),
        }
    }
    texts.retain(|text| !fold(text).is_empty());
    texts
}

/// A code with the name of its system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token {
    pub(super) code: String,
    pub(super) system: Option<String>,
}

pub(super) fn tokens(param: Param, tree: &Object) -> Vec<Token> {
    let mut tokens = Vec::new();
    match param.code.split_once(':') {
        Some((_, "identifier")) => {
            for node in nodes(param, tree) {
                let identifier = node.object().and_then(|reference| reference.object("identifier"));
                tokens
                    .extend(identifier.and_then(|identifier| token(identifier.str("system"), identifier.str("value"))));
            }
        }
        Some(_) => {
            for identifier in nodes(param, tree).iter().filter_map(Node::object) {
                let Some(value) = token(None, identifier.str("value")) else { continue };
                for coding in identifier.object("type").into_iter().flat_map(|of| of.objects("coding")) {
                    tokens.extend(
                        token(coding.str("system"), coding.str("code"))
                            .map(|of| Token { code: format!("{}|{}", of.code, value.code), system: of.system }),
                    );
                }
            }
        }
        None => {
            let Some(parameter) = parameters::parameter_of(param) else { return tokens };
            for item in parameter.path.evaluate(tree, view()) {
                match item {
                    Item::Node(node) => tokens.extend(tokens_of(&node)),
                    Item::Truth(truth) => tokens.push(Token { code: truth.to_string(), system: None }),
                    Item::Target(_) | Item::Literal(_) | Item::Integer(_) | Item::Text(_) => {}
                }
            }
        }
    }
    tokens
}

fn tokens_of(node: &Node<'_>) -> Vec<Token> {
    let Some(object) = node.object() else { return token(None, node.text()).into_iter().collect() };
    let coding = |coding: &Object| token(coding.str("system"), coding.str("code"));
    match node.type_code {
        "Coding" => coding(object).into_iter().collect(),
        "CodeableConcept" => object.objects("coding").filter_map(coding).collect(),
        "Identifier" => token(object.str("system"), object.str("value")).into_iter().collect(),
        "ContactPoint" => token(None, object.str("value")).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn token(system: Option<&str>, code: Option<&str>) -> Option<Token> {
    let code = code?.trim();
    let system = system.map(str::trim).filter(|system| !system.is_empty());
    let system = system.map(|system| canonical_system(system, Some(code)).into_owned());
    (!code.is_empty()).then(|| Token { code: code.to_owned(), system })
}

pub(super) fn targets(param: Param, tree: &Object, context: &ExtractContext<'_>) -> Vec<Target> {
    let mut targets = Vec::new();
    for node in nodes(param, tree) {
        let canonical = node.object().is_none();
        let text = node.object().map_or_else(|| node.text(), |reference| reference.str("reference"));
        let Some(text) = text else { continue };
        targets.extend(extract::target(text, context.bases));
        if let (true, Some((url, _version))) = (canonical, text.split_once('|')) {
            targets.extend(extract::target(url, context.bases));
        }
    }
    targets
}

pub(super) fn dates(param: Param, tree: &Object, context: &ExtractContext<'_>) -> Vec<(i64, i64)> {
    let span = |text: &str| date_range(text, context.zone);
    let period = |period: &Object| {
        let (start, end) = (period.str("start"), period.str("end"));
        if start.is_none() && end.is_none() {
            return None;
        }
        let low = start.map_or(Some(i64::MIN), |start| span(start).map(|(low, _)| low))?;
        let high = end.map_or(Some(i64::MAX), |end| span(end).map(|(_, high)| high))?;
        (low < high).then_some((low, high))
    };
    let timing = |timing: &Object| {
        if let Some(bounds) = timing.object("repeat").and_then(|repeat| repeat.object("boundsPeriod")) {
            return period(bounds);
        }
        let events: Vec<_> = timing.items("event").iter().filter_map(Value::as_str).filter_map(span).collect();
        Some((events.iter().map(|(low, _)| *low).min()?, events.iter().map(|(_, high)| *high).max()?))
    };
    let range = |node: &Node<'_>| match (node.type_code, node.object()) {
        ("Period", Some(object)) => period(object),
        ("Timing", Some(object)) => timing(object),
        (_, None) => node.text().and_then(span),
        _ => None,
    };
    nodes(param, tree).iter().filter_map(range).collect()
}

pub(super) fn numbers_of(param: Param, tree: &Object) -> Vec<(f64, f64)> {
    let range = |node: &Node<'_>| match node.type_code {
        "integer" | "unsignedInt" | "positiveInt" => numbers::exact(node.text()?).map(|number| (number, number)),
        _ => numbers::range(node.text()?),
    };
    nodes(param, tree).iter().filter_map(range).collect()
}

pub(super) struct Measured<'t> {
    pub(super) range: (f64, f64),
    pub(super) system: Option<&'t str>,
    pub(super) unit: Option<&'t str>,
}

pub(super) fn quantities(param: Param, tree: &Object) -> Vec<Measured<'_>> {
    let number = |object: &Object| object.get("value").and_then(Value::as_number).and_then(numbers::range);
    let mut found = Vec::new();
    for node in nodes(param, tree) {
        let Some(object) = node.object() else { continue };
        let (range, of) = match node.type_code {
            "Range" => {
                let (low, high) = (object.object("low"), object.object("high"));
                let (from, to) = (low.and_then(number), high.and_then(number));
                if from.is_none() && to.is_none() {
                    continue;
                }
                let range = (from.map_or(f64::MIN, |range| range.0), to.map_or(f64::MAX, |range| range.1));
                if range.0 > range.1 {
                    continue;
                }
                (range, low.or(high))
            }
            _ => {
                let Some((low, high)) = number(object) else { continue };
                let range = match object.str("comparator") {
                    Some("<" | "<=") => (f64::MIN, high),
                    Some(">" | ">=") => (low, f64::MAX),
                    _ => (low, high),
                };
                (range, Some(object))
            }
        };
        let text = |name| of.and_then(|of| of.str(name)).map(str::trim).filter(|text| !text.is_empty());
        let money = node.type_code == "Money";
        let unit = if money { of.and_then(|of| of.str("currency")) } else { text("code").or_else(|| text("unit")) };
        found.push(Measured { range, system: if money { None } else { text("system") }, unit });
    }
    found
}

pub(super) fn uris(param: Param, tree: &Object) -> Vec<&str> {
    let mut uris: Vec<&str> = Vec::new();
    for text in nodes(param, tree).iter().filter_map(Node::text).map(str::trim).filter(|text| !text.is_empty()) {
        uris.push(text);
        uris.extend(text.split_once('|').map(|(url, _version)| url));
    }
    uris
}

pub(super) fn positions(param: Param, tree: &Object) -> Vec<(f64, f64)> {
    let degrees = |object: &Object, name| object.get(name).and_then(Value::as_number).and_then(numbers::exact);
    let nodes = nodes(param, tree);
    let objects = nodes.iter().filter_map(Node::object);
    objects.filter_map(|object| Some((degrees(object, "latitude")?, degrees(object, "longitude")?))).collect()
}

fn passes_text(test: &StringTest, text: &str) -> bool {
    match test {
        StringTest::StartsWith(start) => fold(text).starts_with(start.as_str()),
        StringTest::Contains(part) => fold(text).contains(part.as_str()),
        StringTest::Exact(whole) => text.trim() == whole,
    }
}

fn passes_token(test: &TokenTest, token: &Token) -> bool {
    let system = match &test.system {
        SystemTest::Any => true,
        SystemTest::Absent => token.system.is_none(),
        SystemTest::Is(system) => token.system.as_deref() == Some(system),
    };
    system && test.code.as_deref().is_none_or(|code| token.code == code)
}

fn passes_target(test: &ReferenceTest, target: &Target) -> bool {
    match (test, target) {
        (ReferenceTest::Is(wanted), target) => wanted == target,
        (ReferenceTest::Id { id: wanted, types }, Target::Local { resource_type, id }) => {
            wanted == id && types.iter().any(|of| *of == resource_type)
        }
        (ReferenceTest::OfType(types), Target::Local { resource_type, .. }) => {
            types.iter().any(|of| *of == resource_type)
        }
        (ReferenceTest::Among(set), Target::Local { resource_type, id }) => set.contains(resource_type, id),
        (ReferenceTest::Id { .. } | ReferenceTest::OfType(_) | ReferenceTest::Among(_), Target::Elsewhere(_)) => false,
    }
}

fn passes_number(test: &NumberTest, range: (f64, f64)) -> bool {
    ranges(test.comparison, range, (test.low, test.high))
}

fn passes_uri(test: &UriTest, uri: &str) -> bool {
    match test {
        UriTest::Is(whole) => uri == whole,
        UriTest::Below(start) => uri.starts_with(start.as_str()),
        UriTest::Above(longer) => longer.starts_with(uri),
    }
}

/// The way between two points of the globe, in metres, along a great circle.
fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    const EARTH: f64 = 6_371_008.8;
    let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let chord = half(from.0, to.0) + from.0.to_radians().cos() * to.0.to_radians().cos() * half(from.1, to.1);
    2.0 * EARTH * chord.clamp(0.0, 1.0).sqrt().asin()
}
