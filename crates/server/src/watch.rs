//! Figures for whoever watches over the server: Prometheus text, on a listener of its own.
//!
//! What happens is counted where it happens, by the `metrics` facade; what is so (the size of the store,
//! the process) is looked at when it is asked for. Every figure is in [`figures::ALL`], with what it
//! means; none of them, and no label, holds a person's data or an id.

mod collector;
mod figures;
mod process;
mod text;

use std::net::SocketAddr;

use axum::{Router, extract::State, http::header, routing::get};
use liaison_store::{
    health::Ailment,
    store::{Store, StoreUrl},
};

use crate::{failure::Failure, serving::Bound};
use collector::Collector;
use text::Text;

/// What counts, and where it can be asked.
pub struct Watch {
    collected: Collector,
    bound: Bound,
}

impl Watch {
    /// Begins to count: to be called before the store is opened, since what counts before counts for
    /// nobody.
    pub async fn begin(address: SocketAddr) -> Result<Self, Failure> {
        let bound = Bound::to(address).await?;
        let collected = Collector::default();
        metrics::set_global_recorder(collected.clone())
            .map_err(|error| Failure::of("the figures are collected twice", error))?;
        liaison_store::figures::begin();
        liaison_rest::figures::begin();
        liaison_inbound::figures::begin();
        Ok(Self { collected, bound })
    }

    /// Answers whoever asks, as long as the program runs.
    pub fn answer(self, store: Store, url: StoreUrl) {
        tracing::info!("figures at http://{}/metrics", self.bound.address());
        let watched = Watched { collected: self.collected, store, url };
        let router = Router::new().route("/metrics", get(shown)).with_state(watched);
        tokio::spawn(self.bound.answer(router));
    }
}

#[derive(Clone)]
struct Watched {
    collected: Collector,
    store: Store,
    url: StoreUrl,
}

async fn shown(State(watched): State<Watched>) -> impl axum::response::IntoResponse {
    let mut text = Text::after(watched.collected.text());
    text.figure("liaison_build_info", &[(&[("version", env!("CARGO_PKG_VERSION"))], 1.0)]);
    store(&watched, &mut text).await;
    process::figures(&mut text);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.whole())
}

async fn store(watched: &Watched, text: &mut Text) {
    let ailment = watched.store.ailment().await;
    let is = |kind: Ailment| f64::from(u8::from(ailment == Some(kind)));
    text.figure(
        "liaison_store_ailment",
        &[
            (&[("kind", "damaged")], is(Ailment::Damaged)),
            (&[("kind", "full")], is(Ailment::Full)),
            (&[("kind", "read-only")], is(Ailment::ReadOnly)),
            (&[("kind", "not-writing")], is(Ailment::NotWriting)),
        ],
    );
    match &watched.url {
        StoreUrl::Sqlite(path) => {
            let length = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |file| file.len());
            let mut log = path.as_os_str().to_owned();
            log.push("-wal");
            text.figure(
                "liaison_store_bytes",
                &[
                    (&[("part", "data")], length(path) as f64),
                    (&[("part", "log")], length(std::path::Path::new(&log)) as f64),
                ],
            );
        }
        // Its log belongs to all databases of the server.
        StoreUrl::Postgres(_) => match watched.store.bytes().await {
            Ok(bytes) => text.figure("liaison_store_bytes", &[(&[("part", "data")], bytes as f64)]),
            Err(error) => tracing::warn!(%error, "the size of the database is not known"),
        },
    }
}
