//! The value sets of the base release whose codes the tables hold, as resources.

use super::value_set::MOST_CODES;
use crate::{
    object,
    release::Release,
    tree::{Object, Value},
};

/// The value set of that URL, listing its codes by system, when required bindings name it.
#[must_use]
pub fn value_set(release: &Release, url: &str) -> Option<Object> {
    let list = release.code_list(url)?;
    let mut codes: Vec<_> = list.codes().filter_map(|code| Some((list.get(code)?, code))).collect();
    codes.sort_unstable_by_key(|(known, code)| (known.system, *code));
    codes.truncate(MOST_CODES);
    let mut includes: Vec<Value> = Vec::new();
    for group in codes.chunk_by(|(one, _), (other, _)| one.system == other.system) {
        let concepts: Vec<Value> = group
            .iter()
            .map(|(known, code)| {
                let mut concept = object! { "code" => *code };
                if !known.display.is_empty() {
                    concept.push("display", known.display);
                }
                concept.into()
            })
            .collect();
        let system = group.first().map(|(known, _)| known.system).unwrap_or_default();
        includes.push(object! { "system" => system, "concept" => concepts }.into());
    }
    let id = url.rsplit('/').next().unwrap_or_default();
    Some(object! {
        "resourceType" => "ValueSet",
        "id" => id,
        "language" => "en",
        "url" => url,
        "version" => release.id.version(),
        "status" => "active",
        "compose" => object! { "include" => includes },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{r4, stu3};

    #[test]
    fn a_list_of_the_base_release_is_a_value_set() {
        for release in [r4(), stu3()] {
            let genders = value_set(release, "http://hl7.org/fhir/ValueSet/administrative-gender").unwrap();
            let include = genders.object("compose").unwrap().objects("include").next().unwrap();
            let codes: Vec<_> = include.objects("concept").filter_map(|concept| concept.str("code")).collect();
            assert_eq!(codes, ["female", "male", "other", "unknown"]);
            assert_eq!(genders.str("id"), Some("administrative-gender"));
        }
        assert_eq!(value_set(r4(), "http://hl7.org/fhir/ValueSet/none"), None);
    }
}
