//! What the server says of itself, and its operations.

use serde_json::{Value, json};

use crate::house::House;

#[tokio::test]
async fn what_is_said_of_each_base_is_of_its_release() {
    let house = House::open().await;
    for (base, version) in [("/fhir/r4", "4.0.1"), ("/fhir/stu3", "3.0.2")] {
        let said = house.get(&format!("{base}/metadata")).await.expect(200);
        assert!(said.body.len() < 300_000);
        let said = said.json();
        assert_eq!(said["fhirVersion"], version);
        assert_eq!(said["implementation"]["url"], format!("http://notes.example.org{base}"));
        // What is said is done: every parameter of every type is understood.
        for resource in said["rest"][0]["resource"].as_array().unwrap() {
            let kind = resource["type"].as_str().unwrap();
            for include in resource["searchInclude"].as_array().into_iter().flatten() {
                let include = include.as_str().unwrap();
                house.get(&format!("{base}/{kind}?_id=x&_include={include}")).await.expect(200);
            }
            for param in resource["searchParam"].as_array().into_iter().flatten() {
                let name = param["name"].as_str().unwrap();
                let value = match param["type"].as_str().unwrap() {
                    "date" => "2024",
                    "number" => "1",
                    "reference" => "http://example.org/fhir/Patient/x",
                    "quantity" => "1",
                    "special" if name == "near" => "48.8|2.3|1|km",
                    _ => "x",
                };
                let mut answer = house.get(&format!("{base}/{kind}?{name}={value}")).await;
                if answer.status.as_u16() != 200 && param["type"] == "token" {
                    // A truth value.
                    answer = house.get(&format!("{base}/{kind}?{name}=true")).await;
                }
                assert_eq!(answer.status.as_u16(), 200, "{base} {kind}?{name}: {}", answer.text());
            }
        }
        let xml =
            house.send(&format!("GET {base}/metadata"), &[("accept", "application/fhir+xml")], "").await.expect(200);
        assert!(xml.text().contains("<CapabilityStatement xmlns="), "{}", &xml.text()[..200]);
    }
    house.send("GET /fhir/r4/metadata", &[("accept", "application/fhir+json; fhirVersion=3.0")], "").await.expect(406);
}

#[tokio::test]
async fn definitions_are_read_and_searched_and_not_changed() {
    let house = House::open().await;
    let url = "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference";
    let found = house.get(&format!("/fhir/r4/StructureDefinition?url={url}")).await.expect(200).json();
    assert_eq!(found["total"], 1);
    let id = found["entry"][0]["resource"]["id"].as_str().unwrap().to_owned();
    let path = format!("/fhir/r4/StructureDefinition/{id}");
    let mut mine = house.get(&path).await.expect(200).json();
    mine["title"] = json!("Autre");
    let refused = house.put_json(&format!("PUT {path}"), &mine).await.expect(405);
    assert_eq!(refused.header("allow"), "GET, HEAD");
    house.send(&format!("DELETE {path}"), &[], "").await.expect(405);
    house.get(&format!("/fhir/stu3/StructureDefinition/{id}")).await.expect(200);
}

#[tokio::test]
async fn terminology_answers() {
    let house = House::open().await;
    let types = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote";
    let value_set =
        "https://mos.esante.gouv.fr/NOS/JDV_J23-TypeNoteCahierLiaison-CISIS/FHIR/JDV-J23-TypeNoteCahierLiaison-CISIS";
    let expanded =
        house.get(&format!("/fhir/r4/ValueSet/$expand?url={value_set}&filter=avis")).await.expect(200).json();
    assert_eq!(expanded["expansion"]["contains"][0]["code"], "DEM-AVIS", "{expanded:#}");
    let found = house.get(&format!("/fhir/r4/CodeSystem/$lookup?system={types}&code=OBS")).await.expect(200).json();
    assert_eq!(found["resourceType"], "Parameters");
    let mine = json!({
        "resourceType": "ValueSet", "url": "http://example.org/mine", "status": "active",
        "compose": { "include": [{ "system": types, "concept": [{ "code": "GEN" }] }] },
    });
    let id = house.put_json("POST /fhir/r4/ValueSet", &mine).await.expect(201).id();
    for path in ["ValueSet/$expand?url=http://example.org/mine".to_owned(), format!("ValueSet/{id}/$expand")] {
        let expanded = house.get(&format!("/fhir/r4/{path}")).await.expect(200).json();
        assert_eq!(expanded["expansion"]["contains"][0]["code"], "GEN", "{path}");
    }
    house.get("/fhir/r4/ValueSet/$expand?url=http://example.org/none").await.expect(404);
}

#[tokio::test]
async fn an_operation_that_is_not_here_is_called_so() {
    let house = House::open().await;
    for request in [
        "POST /fhir/r4/Patient/$everything",
        "GET /fhir/r4/Patient/$everything",
        "GET /fhir/stu3/Binary/$everything",
        "GET /fhir/r4/Patient/p1/$everything",
        "GET /fhir/r4/$everything",
        "PUT /fhir/r4/Patient/$everything",
    ] {
        for (language, words) in [("en", "no operation $everything"), ("fr", "pas d'opération $everything")] {
            let refused = house.send(request, &[("accept-language", language)], "{}").await.expect(404);
            assert!(refused.text().contains(words), "{request}: {}", refused.text());
        }
    }
}

#[tokio::test]
async fn validation_says_what_a_write_would_say_and_stores_nothing() {
    let house = House::open().await;
    let bad = json!({ "resourceType": "Patient", "birthDate": "1950-13-45" });
    let issues = |outcome: &Value| outcome["issue"].as_array().unwrap().clone();
    for body in
        [bad.clone(), json!({ "resourceType": "Parameters", "parameter": [{ "name": "resource", "resource": bad }] })]
    {
        let outcome = house.put_json("POST /fhir/r4/Patient/$validate", &body).await.expect(200).json();
        assert!(issues(&outcome).iter().any(|i| i["severity"] == "error" && i["expression"][0] == "Patient.birthDate"));
    }
    let good = json!({ "resourceType": "Patient", "birthDate": "1950-12-15" });
    let outcome = house.put_json("POST /fhir/r4/Patient/$validate?mode=create", &good).await.expect(200).json();
    assert!(issues(&outcome).iter().all(|i| i["severity"] != "error"));
    assert_eq!(house.get("/fhir/r4/Patient").await.json()["total"], 0);
    house.put_json("POST /fhir/r4/Patient/$validate?mode=nonsense", &good).await.expect(400);
}

#[tokio::test]
async fn a_definition_sent_along_must_be_one() {
    let house = House::open().await;
    let parameters = |display: &str| {
        json!({ "resourceType": "Parameters", "parameter": [
            { "name": "coding", "valueCoding": { "system": "http://x.example", "code": "a" } },
            { "name": "valueSet", "resource": { "resourceType": "ValueSet", "status": "active", "compose": {
                "include": [{ "system": "http://x.example", "concept": [{ "code": "a", "display": display }] }] } } },
        ] })
    };
    let line = "POST /fhir/r4/ValueSet/$validate-code";
    house.put_json(line, &parameters("A")).await.expect(200);
    house.put_json(line, &parameters("")).await.expect(400);
}
