//! Around the API: the landing page, health, what the server says of itself.

use liaison_tests::Server;

#[tokio::test]
async fn the_landing_page_leads_to_both_bases() {
    let server = Server::start().await;
    let page = server.site().request("GET", "").header("accept-language", "fr").send().await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    for expected in ["/fhir/r4/metadata", "/fhir/stu3/metadata", "lang=\"fr\""] {
        assert!(page.text().contains(expected), "{expected}");
    }
    server.site().get("assets/liaison.css").await.is(200);
}

#[tokio::test]
async fn an_address_that_leads_nowhere_says_so_as_its_neighbours_speak() {
    let server = Server::start().await;
    let page = server.site().request("GET", "nothing-here").header("accept-language", "en").send().await.is(404);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("There is no page at this address"));
    for path in ["fhir", "fhir/", "fhir/r5", "fhir/r5/Patient/1", "fhir/r4/a/b/c/d"] {
        let outcome = server.site().get(path).await.is(404);
        assert!(outcome.header("content-type").starts_with("application/fhir+json"), "{path}");
        assert!(outcome.text().contains("/fhir/r4/metadata"), "{path}");
    }
}

#[tokio::test]
async fn the_server_says_that_it_lives_and_is_ready() {
    let server = Server::start().await;
    server.site().get("healthz").await.is(200);
    server.site().get("readyz").await.is(200);
}

#[tokio::test]
async fn each_base_says_what_it_can_do() {
    let server = Server::start().await;
    for (base, version) in [(server.r4(), "4.0.1"), (server.stu3(), "3.0.2")] {
        let answer = base.get("metadata").await.is(200);
        assert!(answer.body.len() < 300 * 1024, "{} bytes", answer.body.len());
        let statement = answer.json();
        assert_eq!(
            (&statement["resourceType"], &statement["fhirVersion"]),
            (&"CapabilityStatement".into(), &version.into())
        );
        let resources = statement["rest"][0]["resource"].as_array().unwrap();
        for resource in resources {
            let kind = resource["type"].as_str().unwrap();
            let interactions = resource["interaction"].as_array().unwrap();
            if interactions.iter().any(|interaction| interaction["code"] == "search-type") {
                base.get(&format!("{kind}?_count=1")).await.is(200);
            }
        }
        let notes = resources.iter().find(|resource| resource["type"] == "DocumentReference").unwrap();
        for parameter in notes["searchParam"].as_array().unwrap() {
            let (name, kind) = (parameter["name"].as_str().unwrap(), parameter["type"].as_str().unwrap());
            let value = match kind {
                "date" => "2026-03-04",
                "reference" => "1",
                "number" | "quantity" => "1",
                _ => "true",
            };
            base.get(&format!("DocumentReference?{name}={value}")).await.is(200);
        }
    }
}

#[tokio::test]
async fn logs_hold_nothing_of_a_person() {
    let server = Server::start_with(&[("LIAISON_LOG_LEVEL", "trace")]).await;
    let r4 = server.r4();
    let circle = liaison_tests::sample::circle(&r4).await;
    r4.get("Patient?family=Morel&identifier=p-1").await.is(200);
    r4.get(&format!("{}/_history", circle.patient)).await.is(200);
    r4.request("POST", "Patient")
        .body("application/fhir+json", "{\"resourceType\":\"Patient\",\"name\":\"Morel\"}")
        .send()
        .await
        .is(400);
    let log = server.log();
    assert!(!log.contains("Morel") && !log.contains("p-1") && !log.contains("Jeanne"), "{log}");
}
