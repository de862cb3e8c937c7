//! Every route.

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get, post},
};
use liaison_app::App;
use liaison_fhir::{
    release::{self, ReleaseId},
    terminology,
};

use crate::{
    exchange::Base,
    fallback,
    interaction::{batch, binary, capabilities, create, delete, history, operation, patch, read, search, update},
    layers,
    options::RestOptions,
};

/// The bases: where each release is spoken.
pub const BASES: [(&str, ReleaseId); 2] = [("/fhir/r4", ReleaseId::R4), ("/fhir/stu3", ReleaseId::Stu3)];

/// The FHIR bases over an application.
pub fn router(app: App, options: RestOptions) -> Router {
    let options = Arc::new(options);
    // What is under /fhir and under no base is told as everything else here is.
    let nowhere = Base { app: app.clone(), release: release::view(), path: BASES[0].0, options: Arc::clone(&options) };
    let routes = ["/fhir", "/fhir/", "/fhir/{*rest}"]
        .into_iter()
        .fold(Router::new(), |routes, path| routes.route(path, any(fallback::unknown)));
    let mut router = layers::around(routes, &nowhere).with_state(nowhere);
    for (path, release) in BASES {
        let base = Base { app: app.clone(), release: release.release(), path, options: Arc::clone(&options) };
        let routes = layers::around(under(path), &base);
        router = router.merge(routes.with_state(base));
    }
    router
}

/// The routes of one base. The more a route says, the sooner it is tried.
fn under(base: &str) -> Router<Base> {
    let system = get(search::system).post(batch::batch_or_transaction);
    let kind = || get(search::of_type).put(update::conditional).patch(patch::conditional).delete(delete::conditional);
    let instance = get(read::read).put(update::update).patch(patch::patch).delete(delete::delete).post(operation::none);
    let bytes =
        get(binary::download).put(binary::replace).patch(patch::patch).delete(delete::delete).post(operation::none);
    let validate = || get(operation::validate).post(operation::validate);
    let mut routes: Router<Base> = Router::new()
        .route("/metadata", get(capabilities::capabilities))
        .route("/_search", post(search::system_by_form))
        .route("/_history", get(history::system))
        .route("/{type}", kind().post(create::create))
        .route("/{type}/_search", post(search::by_form))
        .route("/{type}/_history", get(history::of_type))
        .route("/{type}/$validate", validate())
        .route("/{type}/{id}", instance)
        .route("/{type}/{id}/_history", get(history::of_resource))
        .route("/{type}/{id}/_history/{version}", get(read::vread))
        .route("/{type}/{id}/$validate", get(operation::validate_instance).post(operation::validate_instance))
        // Bundles may be there to be processed.
        .route("/Bundle", kind().post(create::bundle))
        // Binaries are bytes first.
        .route("/Binary", kind().post(binary::upload))
        .route("/Binary/_search", post(search::by_form))
        .route("/Binary/_history", get(history::of_type))
        .route("/Binary/$validate", validate())
        .route("/Binary/{id}", bytes)
        .route("/Binary/{id}/_history", get(history::of_resource))
        .route("/Binary/{id}/_history/{version}", get(binary::download_version));
    for asked in terminology::Operation::ALL {
        let (kind, name) = (asked.resource_type(), asked.name());
        let on_type = get(operation::terminology).post(operation::terminology);
        let on_instance = get(operation::terminology_instance).post(operation::terminology_instance);
        routes =
            routes.route(&format!("/{kind}/${name}"), on_type).route(&format!("/{kind}/{{id}}/${name}"), on_instance);
    }
    Router::new()
        .route(base, system.clone())
        .route(&format!("{base}/"), system)
        .nest(base, routes.fallback(fallback::unknown))
        .method_not_allowed_fallback(fallback::method)
}
