//! Two notebooks and those around them.

use liaison_tests::{Launch, Provider, Server, Store, sample};
use serde_json::{Value, json};

const RPPS: &str = "https://rpps.esante.gouv.fr";
pub const VISIBILITY: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument";
pub const ROLE_CLASS: &str = "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass";
const ROLE_CODE: &str = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode";

/// Everything there is, in an order in which it can be written.
pub fn world() -> Vec<Value> {
    let mut all = vec![
        person("jeanne", "Morel"),
        person("paul", "Petit"),
        professional("awa", "10000000001", "Diallo"),
        professional("luc", "10000000002", "Blanc"),
        professional("ines", "10000000003", "Roy"),
        role("awa"),
        role("luc"),
        role("ines"),
        relative("lea", "jeanne", ROLE_CODE, "DAUC"),
        relative("marc", "jeanne", ROLE_CLASS, "GUARD"),
        relative("tom", "paul", ROLE_CODE, "SONC"),
        circle("jeanne", &["PractitionerRole/awa", "PractitionerRole/ines", "RelatedPerson/lea", "RelatedPerson/marc"]),
        circle("paul", &["PractitionerRole/luc", "RelatedPerson/tom"]),
    ];
    for (id, label) in LABELLED {
        all.push(note(id, "jeanne", "luc", label));
    }
    all.push(note("of-paul", "paul", "luc", ""));
    all
}

/// Notes about Jeanne by Luc, who is in her circle no more, and what each hides.
const LABELLED: [(&str, &str); 6] = [
    ("open", ""),
    ("no-patient", "INVISIBLE_PATIENT"),
    ("no-guardian", "INVISIBLE_REPRESENTANTS_LEGAUX"),
    ("no-health", "MASQUE_PS"),
    ("no-social", "MASQUE_PSOCIAL"),
    ("no-third", "MASQUE_PT"),
];

/// Whose token it is, what it says, and what of the world is hidden from them.
pub struct Caller {
    pub who: &'static str,
    pub claims: Value,
    pub hidden: Vec<&'static str>,
}

const OF_PAUL: [&str; 4] = ["Patient/paul", "RelatedPerson/tom", "CareTeam/c-paul", "DocumentReference/of-paul"];
const OF_JEANNE: [&str; 10] = [
    "Patient/jeanne",
    "RelatedPerson/lea",
    "RelatedPerson/marc",
    "CareTeam/c-jeanne",
    "DocumentReference/open",
    "DocumentReference/no-patient",
    "DocumentReference/no-guardian",
    "DocumentReference/no-health",
    "DocumentReference/no-social",
    "DocumentReference/no-third",
];

/// Those who ask.
pub fn callers() -> Vec<Caller> {
    let of = |who, claims, hidden: &[&'static str]| Caller { who, claims, hidden: [hidden, &OF_PAUL].concat() };
    let notes = OF_JEANNE.into_iter().filter(|name| name.starts_with("Doc"));
    vec![
        of("the nurse", nurse(), &["DocumentReference/no-health"]),
        of("the home aide", aide(), &["DocumentReference/no-social"]),
        of("the daughter", daughter(), &["DocumentReference/no-third"]),
        of(
            "the guardian",
            json!({ "sub": "marc", "fhirUser": "RelatedPerson/marc" }),
            &["DocumentReference/no-guardian"],
        ),
        of("the person", person_herself(), &["DocumentReference/no-patient"]),
        of("a stranger", stranger(), &OF_JEANNE),
        Caller {
            who: "the operator",
            claims: operator(),
            hidden: notes.chain(["DocumentReference/of-paul"]).collect(),
        },
    ]
}

pub fn nurse() -> Value {
    json!({ "sub": "awa", "SubjectNameID": "810000000001", "SubjectRefPro": { "exercices": [{ "codeProfession": "60" }] } })
}

pub fn aide() -> Value {
    json!({ "sub": "ines", "rpps": "10000000003", "profession": "211" })
}

pub fn former_nurse() -> Value {
    json!({ "sub": "luc", "rpps": "10000000002", "profession": "60" })
}

pub fn daughter() -> Value {
    json!({ "sub": "lea", "fhirUser": "RelatedPerson/lea" })
}

pub fn person_herself() -> Value {
    json!({ "sub": "jeanne", "fhirUser": "Patient/jeanne" })
}

pub fn stranger() -> Value {
    json!({ "sub": "stranger", "rpps": "10000000009", "profession": "60" })
}

pub fn operator() -> Value {
    json!({ "sub": "desk", "roles": ["operator"] })
}

/// A server for callers who have tokens, on a store that holds these.
pub async fn serving(provider: &Provider, resources: &[Value]) -> Server {
    Server::launch(Launch::on(filled(resources).await).for_callers_of(provider)).await
}

/// A store that holds these.
pub async fn filled(resources: &[Value]) -> Store {
    let store = Store::new();
    let filling = Server::on(store.clone()).await;
    let r4 = filling.r4();
    for resource in resources {
        let name = name(resource);
        let answer = r4.put(&name, resource).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
    }
    filling.stop().await;
    store
}

/// What a resource is called.
pub fn name(resource: &Value) -> String {
    format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap())
}

fn person(id: &str, family: &str) -> Value {
    let mut person = sample::patient(id, family, "Camille");
    person["id"] = json!(id);
    person
}

pub fn professional(id: &str, rpps: &str, family: &str) -> Value {
    let mut professional = sample::practitioner(id, family, "Claude");
    professional["id"] = json!(id);
    professional["identifier"] = json!([{ "system": RPPS, "value": rpps }]);
    professional
}

pub fn role(of: &str) -> Value {
    let mut role = sample::practitioner_role(&format!("Practitioner/{of}"));
    role["id"] = json!(of);
    role
}

pub fn relative(id: &str, of: &str, system: &str, relation: &str) -> Value {
    json!({
        "resourceType": "RelatedPerson", "id": id,
        "patient": { "reference": format!("Patient/{of}") },
        "name": [{ "family": "Morel", "given": [id] }],
        "relationship": [{ "coding": [{ "system": system, "code": relation }] }]
    })
}

pub fn circle(of: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members
        .iter()
        .map(|member| json!({ "member": { "reference": member }, "period": { "start": "2020-01-01" } }))
        .collect();
    json!({
        "resourceType": "CareTeam", "id": format!("c-{of}"), "status": "active", "name": format!("Cercle de {of}"),
        "identifier": [{ "system": sample::LOCAL, "value": format!("c-{of}") }],
        "subject": { "reference": format!("Patient/{of}") },
        "period": { "start": "2020-01-01" },
        "participant": members
    })
}

/// A note, by somebody, under a label or none.
pub fn note(id: &str, about: &str, by: &str, label: &str) -> Value {
    let text = format!("note {id}");
    let mut note = sample::note(&format!("Patient/{about}"), &format!("PractitionerRole/{by}"), &text);
    note["id"] = json!(id);
    note["description"] = json!(text);
    note["masterIdentifier"] = json!({ "system": sample::LOCAL, "value": id });
    if !label.is_empty() {
        note["securityLabel"] = json!([{ "coding": [{ "system": VISIBILITY, "code": label }] }]);
    }
    note
}
