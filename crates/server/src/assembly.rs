//! The server put together: store, application, HTTP.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    middleware::{self, Next},
    response::IntoResponse as _,
};
use liaison_app::{App, audit::Call};
use liaison_fhir::search::{definition::definitions, index::Param};
use liaison_identity::{authenticator::Authenticator, provider::Ask};
use liaison_inbound::{
    rates::{Rates, TooOften},
    sender::{Sender, Way},
};
use liaison_outbound::{http_client::HttpClient, providers::Providers, public::Named, s3::S3};
use liaison_rest::{
    RestOptions,
    authenticate::{Authentication, Tokens},
    figures::Counting,
};
use liaison_store::indexing::{Claim, Standing};
use liaison_store::objects::Objects;
use liaison_store::store::{Access, Store, StoreOptions, StoreUrl};

use liaison_web::people::{self, People};

use crate::{
    failure::Failure,
    health,
    settings::{Auth, Settings},
    signing_in::{self, Cast},
    threads,
};

/// Notes are asked for by their date, so the store keeps them in its order.
const TIMELINES: [Param; 1] = [Param { base: "DocumentReference", code: "date" }];

/// How often what is no longer needed is cleared up.
const CLEAR_UP_EVERY: Duration = Duration::from_secs(3600);

/// A server, put together but not listening yet.
pub struct Assembly {
    app: App,
    store: Store,
    /// Everything that can be asked of it.
    pub router: Router,
}

impl Assembly {
    /// Opens the store and puts the server on it.
    pub async fn new(settings: &Settings, claim: Claim) -> Result<Self, Failure> {
        Self::with(settings, claim, None).await
    }

    /// The same, with people whom anybody may be.
    pub async fn with(settings: &Settings, claim: Claim, cast: Option<Cast>) -> Result<Self, Failure> {
        let options = StoreOptions {
            access: Access::Serve,
            attachments: objects(settings)?,
            short_reads: threads::short_reads(),
            timelines: TIMELINES.into(),
            // With everybody the system, nobody's circles are asked for.
            watched: watched(&settings.auth, cast.as_ref()),
            definitions: definitions(&settings.zone),
            claim,
            ..StoreOptions::default()
        };
        let named = store_text(&settings.store);
        let store = Store::open(&settings.store, options).map_err(|error| Failure::of_store(&named, error))?;
        if let Ok(index) = store.index_standing().await
            && let Some(waiting) = waiting(&index)
        {
            tracing::warn!("{waiting}: run `liaison reindex`");
        }
        let app = App::open(store.clone(), app_settings(settings)).await.map_err(|error| Failure::of(&named, error))?;
        let rates = Arc::new(Rates::new(settings.rates));
        let tokens = tokens(settings)?;
        let people = signing_in::people(settings, &app, &store, &tokens, cast);
        let rest = RestOptions {
            rates: Arc::clone(&rates),
            public_url: settings.public_url.clone(),
            way: way(settings),
            body_limit: settings.limits.body,
            counting: if settings.metrics_listen.is_some() { Counting::On } else { Counting::Off },
            authentication: Authentication { tokens, sessions: people.as_ref().map(|people| people.sessions.clone()) },
            certified: settings.certified.clone(),
            ..RestOptions::default()
        };
        let router = liaison_rest::router(app.clone(), rest)
            .merge(health::router(store.clone()))
            .merge(told(throttled(liaison_web::router(site(settings, people)), rates), &app));
        Ok(Self { app, store, router })
    }

    /// The store.
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Clears up what is no longer needed, from time to time, as long as the program runs.
    pub fn clear_up_from_time_to_time(&self) {
        let app = self.app.clone();
        tokio::spawn(async move {
            let mut times = tokio::time::interval(CLEAR_UP_EVERY);
            loop {
                times.tick().await;
                if let Err(error) = app.clear_up().await {
                    tracing::warn!(%error, "what is no longer needed could not be cleared up");
                }
            }
        });
    }

    /// The use cases.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Finishes the writes that wait and lets go of the store.
    pub async fn close(self) {
        if let Err(error) = self.app.finish_telling().await {
            tracing::error!(%error, "the last lines of the audit trail were not written");
        }
        self.store.close().await;
    }
}

/// How a store is looked at, beside whoever serves it.
pub fn looking(settings: &Settings) -> Result<StoreOptions, Failure> {
    let (attachments, definitions) = (objects(settings)?, definitions(&settings.zone));
    Ok(StoreOptions { access: Access::Look, readers: 1, attachments, definitions, ..StoreOptions::default() })
}

/// What cannot be answered before the index is made anew, if anything.
pub fn waiting(index: &Standing) -> Option<String> {
    const NAMED: usize = 5;
    let all = index.not_ready.len();
    let names: Vec<_> =
        index.not_ready.iter().take(NAMED).map(|param| format!("{}.{}", param.base, param.code)).collect();
    let more = if all > NAMED { ", …" } else { "" };
    (all > 0).then(|| format!("{all} searches wait for their index ({}{more})", names.join(", ")))
}

/// What the sights of callers rest on. With everybody the system there are none.
fn watched(auth: &Auth, cast: Option<&Cast>) -> Vec<&'static str> {
    match (auth, cast) {
        (Auth::Off, None) => Vec::new(),
        _ => liaison_app::sights::WATCHED.into(),
    }
}

/// Pages, but for who asks for too many: the API says so in its own words.
fn throttled(pages: Router, rates: Arc<Rates>) -> Router {
    pages.layer(middleware::from_fn(move |request: Request, next: Next| {
        let sender: Option<&Sender> = request.extensions().get();
        let allowed = sender.map_or(Ok(()), |sender| rates.from_address(sender.address));
        async move {
            match allowed {
                Ok(()) => next.run(request).await,
                Err(TooOften { seconds }) => (
                    StatusCode::TOO_MANY_REQUESTS,
                    [(header::RETRY_AFTER, seconds.to_string())],
                    format!(
                        "Trop de requêtes : réessayez dans {seconds} s.\nToo many requests: try again in {seconds} s.\n"
                    ),
                )
                    .into_response(),
            }
        }
    }))
}

/// Pages that the audit trail tells of: what was asked from where, and who came and went.
fn told(pages: Router, app: &App) -> Router {
    if !app.is_audited() {
        return pages;
    }
    let app = app.clone();
    pages.layer(middleware::from_fn(move |request: Request, next: Next| {
        let app = app.clone();
        async move {
            let address = request.extensions().get::<Sender>().map(|sender| sender.address);
            let call = Call::new(address, "");
            let (method, door) = (request.method().clone(), people::door(request.method(), request.uri().path()));
            let response = Arc::clone(&call).around(next.run(request)).await;
            if let Some(door) = door
                && let Err(untold) = app.tell_of_call(&call, method.as_str(), door, response.status().as_u16()).await
            {
                // Whoever came in reads nothing that is not told of.
                tracing::error!(cause = ?untold.cause, "the audit trail cannot be written");
            }
            response
        }
    }))
}

/// How callers come who come to us directly.
const fn way(settings: &Settings) -> Way {
    match settings.tls {
        None => Way::Clear,
        Some(_) => Way::Encrypted,
    }
}

/// How it is known who calls from no session.
fn tokens(settings: &Settings) -> Result<Tokens, Failure> {
    let Auth::Oidc(trusted) = &settings.auth else { return Ok(Tokens::Off) };
    let issuers = trusted.iter().filter_map(|trusted| Named::by(&trusted.expected.issuer));
    let client = HttpClient::to(issuers.chain(settings.outbound_allowed.iter().cloned()).collect())
        .map_err(|error| Failure::of("providers of identity cannot be asked", error))?;
    let ask: Arc<dyn Ask> = Arc::new(Providers::new(client));
    Ok(Tokens::Needed(Arc::new(Authenticator::new(trusted.clone(), &ask, signing_in::bases(settings)))))
}

/// Where attachments are kept, when not in the store.
fn objects(settings: &Settings) -> Result<Option<Arc<dyn Objects>>, Failure> {
    let Some((address, credentials)) = settings.attachments.clone() else { return Ok(None) };
    let client = HttpClient::to(Named::by(address.origin()).into_iter().collect())
        .map_err(|error| Failure::of("attachments cannot be kept elsewhere", error))?;
    Ok(Some(Arc::new(S3::new(address, credentials, client))))
}

/// A store as it is named on the command line.
pub fn store_text(store: &StoreUrl) -> String {
    match store {
        StoreUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        // Without its password.
        StoreUrl::Postgres(address) => address.to_string(),
    }
}

fn app_settings(settings: &Settings) -> liaison_app::settings::Settings {
    let limits = &settings.limits;
    liaison_app::settings::Settings {
        zone: settings.zone.clone(),
        callers: match settings.auth {
            Auth::Off => liaison_app::settings::Callers::TheSystem,
            Auth::Oidc(_) => liaison_app::settings::Callers::Known,
        },
        audit: settings.audit,
        limits: liaison_app::settings::Limits {
            attachment: limits.attachment,
            bundle: limits.bundle_entries,
            page: limits.page,
            chain: limits.chain_depth,
            includes: limits.includes,
            query_time: limits.query_time,
        },
        ..liaison_app::settings::Settings::default()
    }
}

fn site(settings: &Settings, people: Option<People>) -> liaison_web::Site {
    let root = settings.public_url.clone().unwrap_or_default();
    let bases = [("R4", "4.0.1", "r4"), ("STU3", "3.0.2", "stu3")].map(|(release, fhir_version, path)| {
        liaison_web::Base { release, fhir_version, address: format!("{root}/fhir/{path}") }
    });
    liaison_web::Site {
        version: env!("CARGO_PKG_VERSION"),
        scheme: way(settings).scheme(),
        bases: bases.into(),
        people: people.map(Arc::new),
    }
}
