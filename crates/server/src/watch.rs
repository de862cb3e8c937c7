//! Figures for whoever watches over the server: Prometheus text, on a listener of its own.
//!
//! What happens is counted where it happens, by the `metrics` facade; what is so (the size of the store,
//! the process) is looked at when it is asked for. Every figure is in [`figures::ALL`], with what it
//! means; none of them, and no label, holds a person's data or an id.

mod figures;
mod process;
mod text;

use std::{net::SocketAddr, time::Duration};

use axum::{Router, extract::State, http::header, routing::get};
use liaison_store::{
    health::Ailment,
    store::{Store, StoreUrl},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::{failure::Failure, serving::Bound};
use figures::Figure;
use text::Text;

/// Times from half a millisecond to ten seconds, the default limit of a search.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Writes committed together: one, and up to the most there are in a group.
const WRITES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// How often what was observed is put into its buckets: between, memory grows with each observation,
/// whether anybody asks or not.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

/// What counts, and where it can be asked.
pub struct Watch {
    collected: PrometheusHandle,
    bound: Bound,
}

impl Watch {
    /// Begins to count: to be called before the store is opened, since what counts before counts for
    /// nobody.
    pub async fn begin(address: SocketAddr) -> Result<Self, Failure> {
        let bound = Bound::to(address).await?;
        let collector = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_writes".to_owned()), &WRITES))
            .map_err(|error| Failure::of("the figures cannot be collected", error))?
            .build_recorder();
        let collected = collector.handle();
        metrics::set_global_recorder(collector)
            .map_err(|error| Failure::of("the figures are collected twice", error))?;
        figures::ALL.iter().for_each(Figure::describe);
        liaison_store::figures::begin();
        liaison_rest::figures::begin();
        Ok(Self { collected, bound })
    }

    /// Answers whoever asks, as long as the program runs.
    pub fn answer(self, store: Store, url: StoreUrl) {
        let sums = self.collected.clone();
        tokio::spawn(async move {
            let mut times = tokio::time::interval(SUM_UP_EVERY);
            loop {
                times.tick().await;
                sums.run_upkeep();
            }
        });
        tracing::info!("figures at http://{}/metrics", self.bound.address());
        let watched = Watched { collected: self.collected, store, url };
        let router = Router::new().route("/metrics", get(shown)).with_state(watched);
        tokio::spawn(async move {
            if let Err(error) = self.bound.answer(router).await {
                tracing::error!(%error, "the figures are not shown any more");
            }
        });
    }
}

#[derive(Clone)]
struct Watched {
    collected: PrometheusHandle,
    store: Store,
    url: StoreUrl,
}

async fn shown(State(watched): State<Watched>) -> impl axum::response::IntoResponse {
    let mut text = Text::after(watched.collected.render());
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
