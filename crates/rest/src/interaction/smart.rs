//! `.well-known/smart-configuration` (SMART App Launch 2.2 §3.2): where clients of this base get their tokens.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use liaison_fhir::{
    array, json, object,
    outcome::{Issue, IssueKind},
    text,
    tree::{Object, Value},
};
use liaison_identity::provider::{About, Provider};

use crate::{
    authenticate::Tokens,
    errors::Refused,
    exchange::{Answer, Public},
};

/// What the provider that is named first says of itself, and what this server does with its tokens.
pub async fn configuration(Public(exchange): Public) -> Answer {
    exchange.only(&[])?;
    let Tokens::Needed(authenticator) = &exchange.base.options.authentication.tokens else {
        // Nobody needs a token here.
        return Err(not_needed());
    };
    let Some(provider) = authenticator.providers().first() else { return Err(not_needed()) };
    let about = provider.about(Timestamp::now().as_second()).await.map_err(|_| away())?;
    Ok(answer(&told(provider, &about, authenticator.providers())))
}

fn told(provider: &Provider, about: &About, all: &[Provider]) -> Object {
    let issuer = |provider: &Provider| Value::from(provider.trusted.expected.issuer.as_str());
    let mut told = object! { "issuer" => issuer(provider) };
    for (name, address) in [
        ("authorization_endpoint", &about.authorization),
        ("token_endpoint", &about.token),
        ("introspection_endpoint", &about.introspection),
        ("revocation_endpoint", &about.revocation),
    ] {
        if let Some(address) = address {
            told.push(name, address.as_str());
        }
    }
    told.push("token_endpoint_auth_methods_supported", texts(about.methods.iter().map(String::as_str)));
    let used = |wanted: &[&'static str], said: &[String]| {
        texts(wanted.iter().copied().filter(|one| said.iter().any(|said| said == one)))
    };
    told.push("grant_types_supported", used(&["authorization_code", "client_credentials"], &about.grants));
    told.push("response_types_supported", array!["code"]);
    told.push("code_challenge_methods_supported", used(&["S256"], &about.challenges));
    told.push("scopes_supported", texts(SCOPES.into_iter()));
    // RFC 9728: all those whose tokens are believed here.
    told.push("authorization_servers", Value::Array(all.iter().map(issuer).collect()));
    told.push("capabilities", texts(capabilities(about)));
    told
}

/// The forms of scopes that limit what a token opens; of any type of resource.
const SCOPES: [&str; 5] = ["openid", "fhirUser", "patient/*.cruds", "user/*.cruds", "system/*.cruds"];

fn capabilities(about: &About) -> impl Iterator<Item = &'static str> {
    let any = |methods: &[&str]| about.methods.iter().any(|said| methods.contains(&said.as_str()));
    let by_method = [
        ("client-public", any(&["none"])),
        ("client-confidential-symmetric", any(&["client_secret_basic", "client_secret_post"])),
        ("client-confidential-asymmetric", any(&["private_key_jwt"])),
    ];
    let of_clients = by_method.into_iter().filter(|(_, said)| *said).map(|(name, _)| name);
    ["permission-patient", "permission-user", "permission-v1", "permission-v2"].into_iter().chain(of_clients)
}

fn texts<'t>(each: impl Iterator<Item = &'t str>) -> Value {
    Value::Array(each.map(Value::from).collect())
}

fn answer(told: &Object) -> Response {
    let mut response = json::write_pretty(told).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    response
}

fn not_needed() -> Refused {
    let text = text!(
        en: "No token is needed here (auth = off): there is nothing to say of where to get one.",
        fr: "Aucun jeton n'est exigé ici (auth = off) : il n'y a pas à dire où en obtenir.",
    );
    Refused::new(StatusCode::NOT_FOUND, Issue::error(IssueKind::NotFound, "http", text))
}

fn away() -> Refused {
    Refused::away(Issue::error(
        IssueKind::Transient,
        "http",
        text!(
            en: "The provider of identity cannot be asked now: try again in a moment.",
            fr: "Le fournisseur d'identité ne répond pas : réessayez dans un instant.",
        ),
    ))
}
