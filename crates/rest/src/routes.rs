//! Every route.

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get, post},
};
use liaison_app::{App, operation::emergency};
use liaison_fhir::{
    release::{self, ReleaseId},
    terminology,
};

use crate::{
    around::Around,
    exchange::Base,
    fallback,
    interaction::{
        batch, binary, capabilities, create, delete, export, history, operation, patch, read, search, smart, update,
    },
    options::RestOptions,
};

/// The bases: where each release is spoken.
pub const BASES: [(&str, ReleaseId); 2] = [("/fhir/r4", ReleaseId::R4), ("/fhir/stu3", ReleaseId::Stu3)];

/// The FHIR bases over an application.
pub fn router(app: App, options: RestOptions) -> Router {
    let options = Arc::new(options);
    // What is under /fhir and under no base is told as everything else here is.
    let nowhere = Base::new(app.clone(), release::view(), BASES[0].0, Arc::clone(&options));
    let routes = ["/fhir", "/fhir/", "/fhir/{*rest}"]
        .into_iter()
        .fold(Router::new(), |routes, path| routes.route(path, any(fallback::unknown)));
    let mut router = routes.layer(Around::new(&nowhere)).with_state(nowhere);
    for (path, release) in BASES {
        let base = Base::new(app.clone(), release.release(), path, Arc::clone(&options));
        let routes = match release {
            ReleaseId::R4 => under(path).merge(exports(path)),
            ReleaseId::Stu3 => under(path),
        };
        let routes = routes.layer(Around::new(&base));
        router = router.merge(routes.with_state(base));
    }
    router
}

/// The routes of bulk export, which is written for R4.
fn exports(base: &str) -> Router<Base> {
    Router::new()
        .route(&format!("{base}/$export"), get(export::begin))
        .route(&format!("{base}/$export-status/{{job}}"), get(export::status).delete(export::give_up))
        .route(&format!("{base}/$export-file/{{job}}/{{file}}"), get(export::file))
        .method_not_allowed_fallback(fallback::method)
}

/// The routes of one base. The more a route says, the sooner it is tried.
fn under(base: &str) -> Router<Base> {
    let system = get(search::system).post(batch::batch_or_transaction);
    let kind = || get(search::of_type).put(update::conditional).patch(patch::conditional).delete(delete::conditional);
    let instance =
        get(read::read).put(update::update).patch(patch::patch).delete(delete::delete).fallback(operation::none);
    let bytes =
        get(binary::download).put(binary::replace).patch(patch::patch).delete(delete::delete).fallback(operation::none);
    let validate = || get(operation::validate).post(operation::validate);
    // Whole addresses: routers in routers would take each address apart twice.
    let at = |path: &str| format!("{base}{path}");
    let mut routes: Router<Base> = Router::new()
        .route(base, system.clone())
        .route(&at("/"), system)
        .route(&at("/metadata"), get(capabilities::capabilities))
        .route(&at("/.well-known/smart-configuration"), get(smart::configuration))
        .route(&at("/_search"), post(search::system_by_form))
        .route(&at("/_history"), get(history::system))
        .route(&at("/{type}"), kind().post(create::create))
        .route(&at("/{type}/_search"), post(search::by_form))
        .route(&at("/{type}/_history"), get(history::of_type))
        .route(&at("/{type}/$validate"), validate())
        .route(&at("/{type}/{id}"), instance)
        .route(&at("/{type}/{id}/_history"), get(history::of_resource))
        .route(&at("/{type}/{id}/_history/{version}"), get(read::vread))
        .route(&at("/{type}/{id}/$validate"), get(operation::validate_instance).post(operation::validate_instance))
        .route(&at(&format!("/Patient/${}", emergency::NAME)), post(operation::emergency_access))
        // Bundles may be there to be processed.
        .route(&at("/Bundle"), kind().post(create::bundle))
        // Binaries are bytes first.
        .route(&at("/Binary"), kind().post(binary::upload))
        .route(&at("/Binary/_search"), post(search::by_form))
        .route(&at("/Binary/_history"), get(history::of_type))
        .route(&at("/Binary/$validate"), validate())
        .route(&at("/Binary/{id}"), bytes)
        .route(&at("/Binary/{id}/_history"), get(history::of_resource))
        .route(&at("/Binary/{id}/_history/{version}"), get(binary::download_version));
    for asked in terminology::Operation::ALL {
        let (kind, name) = (asked.resource_type(), asked.name());
        let on_type = get(operation::terminology).post(operation::terminology);
        let on_instance = get(operation::terminology_instance).post(operation::terminology_instance);
        routes = routes
            .route(&at(&format!("/{kind}/${name}")), on_type)
            .route(&at(&format!("/{kind}/{{id}}/${name}")), on_instance);
    }
    routes.nest(base, Router::new().fallback(fallback::unknown)).method_not_allowed_fallback(fallback::method)
}
