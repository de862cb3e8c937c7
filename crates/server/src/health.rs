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
    store::Store,
};

/// `/healthz`: the program answers. `/readyz`: the store does too.
pub fn router(store: Store) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(store)
}

async fn ready(State(store): State<Store>) -> Response {
    // Any read will do: of what is not there, it costs one look into an index.
    let nobody = Name { resource_type: "".into(), id: "".into() };
    match store.read(move |reader| reader.current(&nobody)).await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            let error: StoreError = error;
            tracing::error!(%error, "the store does not answer");
            let later = [(header::RETRY_AFTER, "5")];
            (StatusCode::SERVICE_UNAVAILABLE, later, "the store does not answer\n").into_response()
        }
    }
}
