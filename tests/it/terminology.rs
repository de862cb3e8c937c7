//! The national nomenclatures: expanded, looked up, validated, translated, and read as resources.

use liaison_tests::{Answer, Server};
use serde_json::Value;

const TYPES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";
const TYPES_SET: &str =
    "https://mos.esante.gouv.fr/NOS/JDV_J23-TypeNoteCahierLiaison-CISIS/FHIR/JDV-J23-TypeNoteCahierLiaison-CISIS";

fn parameter(answer: &Answer, name: &str) -> Value {
    let parameters = answer.json()["parameter"].as_array().cloned().unwrap_or_default();
    let found = parameters.into_iter().find(|parameter| parameter["name"] == name).unwrap_or_default();
    let value = found.as_object().into_iter().flatten().find(|(key, _)| key.starts_with("value"));
    value.map(|(_, value)| value.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_value_set_is_expanded() {
    let server = Server::start().await;
    for base in [server.r4(), server.stu3()] {
        let codes = |answer: &Answer| {
            let contains = answer.json()["expansion"]["contains"].as_array().cloned().unwrap_or_default();
            let mut codes: Vec<String> = contains.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect();
            codes.sort();
            codes
        };
        let whole = base.get(&format!("ValueSet/$expand?url={TYPES_SET}")).await.is(200);
        assert_eq!(codes(&whole), ["DEM-AVIS", "GEN", "INST", "INTERV", "OBS"]);
        let filtered = base.get(&format!("ValueSet/$expand?url={TYPES_SET}&filter=observ")).await.is(200);
        assert_eq!(codes(&filtered), ["OBS"]);
        let page = base.get(&format!("ValueSet/$expand?url={TYPES_SET}&count=2&offset=1")).await.is(200);
        assert_eq!(page.json()["expansion"]["total"], 5);
        assert_eq!(codes(&page).len(), 2);
        base.get("ValueSet/$expand?url=http://nothing.example").await.is(404);
    }
}

#[tokio::test]
async fn a_code_is_looked_up_and_validated() {
    let server = Server::start().await;
    let r4 = server.r4();
    let found = r4.get(&format!("CodeSystem/$lookup?system={TYPES}&code=OBS")).await.is(200);
    assert_eq!(parameter(&found, "display"), "Note d'observation");
    let by_oid = r4.get("CodeSystem/$lookup?system=urn:oid:1.2.250.1.213.1.1.4.334&code=OBS").await.is(200);
    assert_eq!(parameter(&by_oid, "display"), "Note d'observation");
    assert_eq!(r4.get(&format!("CodeSystem/$lookup?system={TYPES}&code=GOSSIP")).await.status, 404);
    let valid = r4.get(&format!("ValueSet/$validate-code?url={TYPES_SET}&system={TYPES}&code=GEN")).await.is(200);
    assert_eq!(parameter(&valid, "result"), true);
    let invalid = r4.get(&format!("ValueSet/$validate-code?url={TYPES_SET}&system={TYPES}&code=GOSSIP")).await.is(200);
    assert_eq!(parameter(&invalid, "result"), false);
    assert!(parameter(&invalid, "message").as_str().is_some_and(|message| !message.is_empty()));
    let valid = r4.get(&format!("CodeSystem/$validate-code?url={TYPES}&code=GEN")).await.is(200);
    assert_eq!(parameter(&valid, "result"), true);
}

#[tokio::test]
async fn a_code_of_2017_is_translated_to_todays() {
    let server = Server::start().await;
    let r4 = server.r4();
    let answer = r4.get("ConceptMap/$translate?system=urn:oid:1.2.250.1.213.1.1.4.12&code=OBS").await.is(200);
    assert_eq!(parameter(&answer, "result"), true, "{}", answer.text());
    assert!(answer.text().contains(TYPES), "{}", answer.text());
    let nothing = r4.get("ConceptMap/$translate?system=urn:oid:1.2.250.1.213.1.1.4.12&code=GOSSIP").await;
    assert!(nothing.status == 404 || parameter(&nothing, "result") == false, "{}", nothing.text());
}

#[tokio::test]
async fn what_the_server_goes_by_is_readable_and_searchable() {
    let server = Server::start().await;
    let r4 = server.r4();
    for (kind, url) in [
        ("ValueSet", TYPES_SET),
        ("CodeSystem", TYPES),
        (
            "StructureDefinition",
            "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference",
        ),
        ("StructureDefinition", "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency"),
    ] {
        let found = r4.get(&format!("{kind}?url={url}")).await.is(200);
        assert_eq!(found.matches().len(), 1, "{kind} {url}");
        let id = found.matches()[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(r4.get(&format!("{kind}/{id}")).await.is(200).json()["url"], url);
    }
    for kind in ["ConceptMap", "SearchParameter", "NamingSystem"] {
        assert!(!r4.get(kind).await.is(200).matches().is_empty(), "{kind}");
    }
    let refused = r4.delete("CodeSystem/TRE-R234-TypeNote").await.status;
    assert!([404, 405, 409].contains(&refused), "{refused}");
}
