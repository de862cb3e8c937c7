//! Who is believed.

use liaison_tests::{Launch, Provider, Server, Store};
use serde_json::json;

use super::world::{nurse, operator, serving, world};

#[tokio::test]
async fn without_a_token_nothing_is_told_but_what_the_server_is() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let r4 = server.r4();
    r4.get("metadata").await.is(200);
    for address in ["Patient", "Patient/jeanne", "Patient/nobody", "_history", "$export", "ValueSet", "Binary/1"] {
        let answer = r4.get(address).await.is(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"liaison\"", "{address}");
        assert_eq!(answer.json()["issue"][0]["code"], "login");
    }
    r4.post("Patient", &json!({ "resourceType": "Patient" })).await.is(401);
    r4.post("", &json!({ "resourceType": "Bundle", "type": "batch" })).await.is(401);
}

#[tokio::test]
async fn a_token_is_believed_from_whom_for_whom_and_when_it_says() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let ask = async |token: &str| server.r4().by(token).get("Patient/jeanne").await.status;
    assert_eq!(ask(&provider.token(&nurse())).await, 200);
    let mut wrong = nurse();
    for (claim, value) in [
        ("aud", json!("other")),
        ("iss", json!("http://127.0.0.1:1")),
        ("exp", json!(1)),
        ("nbf", json!(9_999_999_999_i64)),
    ] {
        let before = wrong[claim].clone();
        wrong[claim] = value;
        assert_eq!(ask(&provider.token(&wrong)).await, 401, "{claim}");
        wrong[claim] = before;
        if wrong[claim].is_null() {
            wrong.as_object_mut().unwrap().remove(claim);
        }
    }
    assert_eq!(ask(&provider.token(&json!({ "sub": "nobody" }))).await, 401);
    assert_eq!(ask("no.token.atall").await, 401);
    assert_eq!(ask("opaque").await, 401);
    let forger = Provider::start().await;
    let mut forged = nurse();
    forged["iss"] = json!(provider.issuer());
    assert_eq!(ask(&forger.token(&forged)).await, 401, "signed by somebody else");
}

#[tokio::test]
async fn keys_are_changed_without_a_restart() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    server.r4().by(&provider.token(&nurse())).get("Patient/jeanne").await.is(200);
    // What was asked for a moment ago is asked for again only after ten seconds.
    provider.change_keys("second");
    let token = provider.token(&nurse());
    let patience = std::time::Instant::now();
    loop {
        match server.r4().by(&token).get("Patient/jeanne").await.status {
            200 => break,
            other => assert_eq!(other, 401),
        }
        assert!(patience.elapsed().as_secs() < 30, "the new key is never asked for");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn scopes_limit_and_never_widen() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let scoped = |scope: &str| {
        let mut claims = nurse();
        claims["scope"] = json!(scope);
        server.r4().by(&provider.token(&claims))
    };
    let reads = scoped("openid user/DocumentReference.rs");
    reads.get("DocumentReference/open").await.is(200);
    reads.get("DocumentReference/no-health").await.is(404);
    reads.get("DocumentReference/of-paul").await.is(404);
    reads.get("Patient/jeanne").await.is(403);
    reads.delete("DocumentReference/open").await.is(403);
    scoped("user/DocumentReference.read").get("DocumentReference").await.is(200);
    scoped("user/*.r").get("DocumentReference").await.is(403);
    scoped("system/*.cruds").get("DocumentReference/of-paul").await.is(404);
    scoped("user/DocumentReference.rs?type=OBS").get("DocumentReference").await.is(200);
    scoped("user/DocumentReference.sr").get("DocumentReference").await.is(401);
}

#[tokio::test]
async fn a_token_for_one_person_shows_no_other() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let launched = |patient: &str| {
        let mut claims = nurse();
        (claims["scope"], claims["patient"]) = (json!("patient/*.rs"), json!(patient));
        server.r4().by(&provider.token(&claims))
    };
    launched("jeanne").get("DocumentReference/open").await.is(200);
    launched("paul").get("DocumentReference/open").await.is(404);
    launched("paul").get("DocumentReference/of-paul").await.is(404);
}

#[tokio::test]
async fn what_concerns_everybody_is_for_who_runs_the_server() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let by = |claims| server.r4().by(&provider.token(&claims));
    let kick = async |r4: liaison_tests::Fhir| {
        r4.request("GET", "$export").header("prefer", "respond-async").send().await.status
    };
    assert_eq!(kick(by(nurse())).await, 403);
    assert_eq!(kick(by(operator())).await, 202);
    by(nurse()).get("_history").await.is(403);
    by(nurse()).get("DocumentReference/_history").await.is(403);
    by(nurse()).get("Practitioner/_history").await.is(200);
}

#[tokio::test]
async fn a_server_that_needs_tokens_must_know_whose_and_its_own_address() {
    let provider = Provider::start().await;
    for missing in ["LIAISON_OIDC_ISSUERS", "LIAISON_OIDC_AUDIENCE", "LIAISON_PUBLIC_URL"] {
        let mut launch = Launch::on(Store::new()).for_callers_of(&provider);
        launch.settings.retain(|(name, _)| name != missing);
        let refused = Server::try_launch(launch).await.err().expect("a refusal");
        let key = missing.trim_start_matches("LIAISON_").to_lowercase();
        assert!(refused.said.contains(&key), "{missing}: {}", refused.said);
    }
}

#[tokio::test]
async fn a_provider_does_not_lead_the_server_into_its_own_network() {
    let inside = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = inside.local_addr().unwrap();
    let came = tokio::spawn(async move { inside.accept().await.is_ok() });
    let ask = async |provider: &Provider, settings: &[(&str, &str)]| {
        let server = Server::launch(Launch::on(Store::new()).for_callers_of(provider).with(settings)).await;
        server.r4().by(&provider.token(&nurse())).get("Patient/jeanne").await.status
    };
    for leading in [
        format!("http://{address}/keys"),
        format!("https://{address}/keys"),
        format!("https://localhost:{}/", address.port()),
    ] {
        assert_eq!(ask(&Provider::with_keys_at(&leading).await, &[]).await, 503, "{leading}");
    }
    assert!(!came.is_finished(), "nobody came");
    // Where the operator allows it, it is asked: here by a connection that is then found to be none of a provider's.
    let leading = format!("http://{address}/keys");
    let allowed = [("LIAISON_OUTBOUND_ALLOWED", leading.as_str())];
    assert_eq!(ask(&Provider::with_keys_at(&leading).await, &allowed).await, 503);
    assert!(came.await.unwrap(), "and somebody came");
}

#[tokio::test]
async fn a_token_that_says_nothing_is_looked_up_where_the_server_is_a_client() {
    let provider = Provider::start().await;
    let server = serving(&provider, &world()).await;
    let opaque = Provider::opaque(&nurse());
    server.r4().by(&opaque).get("Patient/jeanne").await.is(401);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret\n").unwrap();
    let client = format!("issuer={} client=liaison-api secret={}", provider.issuer(), file.display());
    let launch = Launch::on(server.store()).for_callers_of(&provider).with(&[("LIAISON_OIDC_INTROSPECTION", &client)]);
    server.stop().await;
    let server = Server::launch(launch).await;
    server.r4().by(&opaque).get("Patient/jeanne").await.is(200);
    server.r4().by(&opaque).get("DocumentReference/no-health").await.is(404);
    let (mut ended, mut others) = (nurse(), nurse());
    ended["active"] = json!(false);
    others["aud"] = json!("other");
    for wrong in [Provider::opaque(&ended), Provider::opaque(&others), "nonsense".to_owned()] {
        server.r4().by(&wrong).get("Patient/jeanne").await.is(401);
    }
    // Signed tokens are read as before.
    server.r4().by(&provider.token(&nurse())).get("Patient/jeanne").await.is(200);
}

#[tokio::test]
async fn clients_find_out_where_to_get_a_token() {
    let provider = Provider::start().await;
    let server = serving(&provider, &[]).await;
    for base in [server.r4(), server.stu3()] {
        let told = base.get(".well-known/smart-configuration").await.is(200);
        assert_eq!(told.header("content-type"), "application/json");
        let told = told.json();
        assert_eq!(told["issuer"], provider.issuer());
        assert_eq!(told["token_endpoint"], format!("{}/token", provider.issuer()));
        assert_eq!(told["authorization_endpoint"], format!("{}/authorize", provider.issuer()));
        assert_eq!(told["grant_types_supported"], json!(["authorization_code", "client_credentials"]));
        assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
        let capabilities = told["capabilities"].as_array().unwrap();
        for capability in ["permission-v1", "permission-v2", "permission-patient", "client-confidential-asymmetric"] {
            assert!(capabilities.contains(&json!(capability)), "{told}");
        }
        assert!(!capabilities.contains(&json!("client-public")), "{told}");
    }
    provider.go_away();
    let alone = Server::launch(Launch::on(Store::new()).for_callers_of(&provider)).await;
    let away = alone.r4().get(".well-known/smart-configuration").await.is(503);
    assert!(!away.header("retry-after").is_empty());
    Server::start().await.r4().get(".well-known/smart-configuration").await.is(404);
}
