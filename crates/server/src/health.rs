//! Whether the server lives, and whether it can serve.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use liaison_store::{
    contract::{Name, StoreError},
    health::Ailment,
    indexing::Writing,
    store::Store,
};

use crate::assembly;

/// `/healthz`: the program answers. `/readyz`: the store can be read and written, and nothing of it
/// was found damaged. It also says which searches wait for their index.
pub fn router(store: Store) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(store)
}

async fn ready(State(store): State<Store>) -> Response {
    // Any read will do: of what is not there, it costs one look into an index.
    let nobody = Name { resource_type: "".into(), id: "".into() };
    if let Err(error) = store.read(move |reader| reader.current(&nobody)).await {
        let error: StoreError = error;
        tracing::error!(%error, "the store does not answer");
        match error {
            StoreError::Damaged(_) => store.met_damage(),
            _ => return not_ready("the store does not answer"),
        }
    }
    let index = store.index_standing().await.ok();
    if index.as_ref().is_some_and(|index| index.writing == Writing::Superseded) {
        return not_ready(
            "the store is indexed by another version of the program, or one with another time_zone: writes are refused; \
             bring this one to the same",
        );
    }
    match store.ailment().await {
        None => match index.and_then(|index| assembly::waiting(&index)) {
            Some(waiting) => format!("ready\n{waiting}: run `liaison reindex`\n").into_response(),
            None => "ready\n".into_response(),
        },
        Some(Ailment::Full) => not_ready("the disk is full: writes are refused, reads go on; free space"),
        Some(Ailment::ReadOnly) => {
            not_ready("the store cannot be written to: writes are refused, reads go on; make its file system writable")
        }
        Some(Ailment::Damaged) => not_ready(
            "the store is damaged: what is damaged is not given; stop the server, run `liaison doctor --check-store`, \
             restore a backup",
        ),
        Some(Ailment::NotWriting) => not_ready("writes fail: see the log; reads go on"),
    }
}

fn not_ready(why: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], format!("{why}\n")).into_response()
}
