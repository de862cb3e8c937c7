//! People who sign in with a browser: sessions, and what keeps others from using them.

mod forgery;
mod invitations;
mod sessions;
mod signing_in;
mod who_saw;

use liaison_tests::{Answer, Launch, Provider, Server, browser::Browser};

use crate::access::world::{filled, world};

/// The cookie of a session where browsers come encrypted.
const SESSION: &str = "__Host-liaison-session";
/// The cookie of an attempt there.
const ATTEMPT: &str = "__Host-liaison-attempt";

/// A server at which people sign in at this provider, with two notebooks.
async fn serving(provider: &Provider) -> Server {
    serving_with(provider, &[]).await
}

async fn serving_with(provider: &Provider, settings: &[(&str, &str)]) -> Server {
    let launch = Launch::on(filled(&world()).await).where_people_sign_in(provider);
    Server::launch(launch.with(settings)).await
}

/// What the API says to a browser that reads a person.
async fn reads(browser: &Browser, person: &str) -> u16 {
    browser.request("GET", &format!("fhir/r4/Patient/{person}")).send().await.status
}

/// The `Set-Cookie` of a name, whole.
fn set_cookie(answer: &Answer, name: &str) -> String {
    let all = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned());
    all.filter(|set| set.starts_with(&format!("{name}="))).collect()
}
