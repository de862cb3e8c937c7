//! Whether the server lives, and whether it can serve.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use liaison_store::{
    contract::{Name, StoreError},
    store::Store,
};

/// `/healthz`: the program answers. `/readyz`: the store does too.
pub fn router(store: Store) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(store)
}

async fn ready(State(store): State<Store>) -> (StatusCode, &'static str) {
    // Any read will do: of what is not there, it costs one look into an index.
    let nobody = Name { resource_type: "".into(), id: "".into() };
    match store.read(move |reader| reader.current(&nobody)).await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            let error: StoreError = error;
            tracing::error!(%error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}
