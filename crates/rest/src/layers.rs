//! Every layer, in the order in which a request meets them.

use std::any::Any;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{AllowOrigin, CorsLayer},
    decompression::RequestDecompressionLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    trace::TraceLayer,
};

use crate::{
    errors::{Refused, explain},
    exchange::Base,
    options::Cors,
};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the layers around the routes of a base.
pub fn around(routes: Router<Base>, base: &Base) -> Router<Base> {
    let common = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    // 7. Decompression of bodies; the limit of their size is kept where they are read, and so holds
    //    for what they decompress to. (Written first: a router puts each layer around the earlier.)
    let routes = routes
        .layer(middleware::from_fn(known_encoding))
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true));
    routes.layer(
        ServiceBuilder::new()
            // 1. A name for the request, in its answer and in the log.
            .layer(SetRequestIdLayer::new(REQUEST_ID.clone(), MakeRequestUuid))
            .layer(PropagateRequestIdLayer::new(REQUEST_ID.clone()))
            .layer(middleware::from_fn(named_host))
            // 2. The trace: method, route, status and time; never the address, which may hold a
            //    person's name, nor headers or bodies.
            .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
            // 3. What browsers may do with answers.
            .layer(common(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(common(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"))
            .layer(common(header::REFERRER_POLICY, "no-referrer"))
            .layer(common(header::CACHE_CONTROL, "no-cache, private"))
            // The form of every answer hangs on these.
            .layer(common(header::VARY, "accept, accept-language, accept-encoding, prefer"))
            .option_layer(cors(&base.options.cors))
            // 4. Compression of answers.
            .layer(CompressionLayer::new())
            // 5. Refusals of whatever lies further in become `OperationOutcome`s.
            .layer(middleware::from_fn_with_state(base.clone(), explain))
            // 6. No request takes for ever, no defect takes the server down.
            .layer(middleware::from_fn_with_state(base.clone(), within_time))
            .layer(CatchPanicLayer::custom(panicked)),
    )
}

fn span(request: &Request) -> tracing::Span {
    let route = request.extensions().get::<axum::extract::MatchedPath>().map_or("", |path| path.as_str());
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("rest.request", method = %request.method(), route, id)
}

fn cors(cors: &Cors) -> Option<CorsLayer> {
    let Cors::Origins(origins) = cors else { return None };
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    Some(
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(tower_http::cors::AllowHeaders::mirror_request())
            .expose_headers([
                header::ETAG,
                header::LOCATION,
                header::CONTENT_LOCATION,
                header::LAST_MODIFIED,
                REQUEST_ID.clone(),
            ]),
    )
}

/// HTTP/2 names the host in the address instead of in a header.
async fn named_host(mut request: Request, next: Next) -> Response {
    if !request.headers().contains_key(header::HOST)
        && let Some(host) = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    next.run(request).await
}

async fn within_time(State(base): State<Base>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(base.options.timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refused::timeout().into_response(),
    }
}

/// Bodies in an encoding that is not undone here reach this point with their header still on.
async fn known_encoding(request: Request, next: Next) -> Response {
    let encoding = request.headers().get(header::CONTENT_ENCODING).and_then(|e| e.to_str().ok());
    match encoding {
        None | Some("identity" | "") => next.run(request).await,
        Some(encoding) => Refused::encoding(encoding).into_response(),
    }
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)");
    tracing::error!(said, "a request panicked");
    Refused::defect().into_response()
}
