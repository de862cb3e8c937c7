//! Every route.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use liaison_app::App;
use liaison_fhir::release::ReleaseId;

use crate::{
    exchange::Base,
    fallback,
    interaction::{batch, binary, create, delete, history, patch, read, search, update},
    layers,
    options::RestOptions,
};

/// The bases: where each release is spoken.
pub const BASES: [(&str, ReleaseId); 2] = [("/fhir/r4", ReleaseId::R4), ("/fhir/stu3", ReleaseId::Stu3)];

/// The FHIR bases over an application.
pub fn router(app: App, options: RestOptions) -> Router {
    let options = Arc::new(options);
    let mut router = Router::new();
    for (path, release) in BASES {
        let base = Base { app: app.clone(), release: release.release(), path, options: Arc::clone(&options) };
        let routes = layers::around(under(path), &base);
        router = router.merge(routes.with_state(base));
    }
    router
}

/// The routes of one base.
fn under(base: &str) -> Router<Base> {
    let system = get(search::system).post(batch::batch_or_transaction);
    let kind = || get(search::of_type).put(update::conditional).patch(patch::conditional).delete(delete::conditional);
    let instance = get(read::read).put(update::update).patch(patch::patch).delete(delete::delete);
    let routes: Router<Base> = Router::new()
        .route("/_search", post(search::system_by_form))
        .route("/_history", get(history::system))
        .route("/Bundle", kind().post(create::bundle))
        .route("/Binary", kind().post(binary::upload))
        .route("/Binary/{id}", get(binary::download).put(binary::replace).patch(patch::patch).delete(delete::delete))
        .route("/Binary/{id}/_history/{version}", get(binary::download_version))
        .route("/{type}", kind().post(create::create))
        .route("/{type}/_search", post(search::by_form))
        .route("/{type}/_history", get(history::of_type))
        .route("/{type}/{id}", instance)
        .route("/{type}/{id}/_history", get(history::of_resource))
        .route("/{type}/{id}/_history/{version}", get(read::vread));
    Router::new()
        .route(base, system.clone())
        .route(&format!("{base}/"), system)
        .nest(base, routes.fallback(fallback::unknown))
        .method_not_allowed_fallback(fallback::method)
}
