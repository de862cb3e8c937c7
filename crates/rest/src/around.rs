//! What every request and every answer goes through, whatever the route.
//!
//! One service, not a tower of them: each layer of a tower is cloned, called and waited for by
//! itself with every request, also by those that do not need it; a read spent more there than in
//! the store. What few requests need (compression, decompression, other origins) is brought in
//! for those that ask for it.

use std::{
    any::Any,
    convert::Infallible,
    future::ready,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
    routing::Route,
};
use futures_util::FutureExt as _;
use liaison_app::audit::Call;
use liaison_inbound::sender::Sender;
use tower::{Layer, Service, service_fn};
use tower_http::{
    compression::Compression,
    cors::{AllowOrigin, CorsLayer},
    decompression::RequestDecompression,
};
use tracing::{Instrument as _, Span};

use crate::{
    asked_for::AskedFor,
    errors::{Refused, explain},
    exchange::{Base, Sent},
    figures::{Counted, Counting},
    options::Cors,
    request_id, traced,
};

type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Puts itself around each route of a base.
#[derive(Clone)]
pub struct Around {
    base: Base,
    cors: Option<CorsLayer>,
}

/// A route with everything around it.
#[derive(Clone)]
pub struct Surrounded {
    route: Route,
    around: Around,
}

impl Around {
    /// What is around the routes of a base.
    #[must_use]
    pub fn new(base: &Base) -> Self {
        Self { base: base.clone(), cors: cors(&base.options.cors) }
    }
}

impl Layer<Route> for Around {
    type Service = Surrounded;

    fn layer(&self, route: Route) -> Surrounded {
        Surrounded { route, around: self.clone() }
    }
}

impl Service<Request> for Surrounded {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // As routes are: they wait when they are called.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Answering {
        let asked = Asked::of(&mut request, &self.around.base);
        let spans = (asked.span(), asked.traced.clone());
        let told = Told::of(&request, &asked);
        let answer = match &self.around.cors {
            None => looked_at(spans, asked.answered(self.route(request))),
            Some(cors) => looked_at(spans, across_origins(cors.clone(), self.clone(), asked, request)),
        };
        match told {
            None => answer,
            Some(told) => Box::pin(told.around(answer)),
        }
    }
}

/// A request that the audit trail tells of.
struct Told {
    base: Base,
    call: Arc<Call>,
    method: Method,
    uri: Uri,
    headers: Arc<HeaderMap>,
    id: HeaderValue,
}

impl Told {
    /// Nothing where no trail is kept; nor of a browser that asks whether it may ask.
    fn of(request: &Request, asked: &Asked) -> Option<Self> {
        if !asked.base.app.is_audited() || asked.method == Method::OPTIONS {
            return None;
        }
        let sender = request.extensions().get::<Sender>();
        let call = Call::new(sender.map(|sender| sender.address), request_id::text(&asked.id));
        let (method, uri) = (asked.method.clone(), asked.uri.clone());
        Some(Self {
            base: asked.base.clone(),
            call,
            method,
            uri,
            headers: Arc::clone(&asked.headers),
            id: asked.id.clone(),
        })
    }

    /// Answers, and tells of what came to no operation.
    async fn around(self, answer: Answering) -> Result<Response, Infallible> {
        let response = Arc::clone(&self.call).around(answer).await?;
        let (status, path) = (response.status().as_u16(), self.base.below(self.uri.path()));
        let told = self.base.app.tell_of_call(&self.call, self.method.as_str(), path, status).await;
        Ok(match told {
            Ok(()) => response,
            Err(untold) => {
                let refused = Refused::from(untold).into_response();
                explain(refused, &self.headers, &self.uri, &self.id, &self.base)
            }
        })
    }
}

/// Spans that nobody looks at are not even entered: the one of the log, and the one that leaves the
/// program, whose children are made below it.
fn looked_at((log, traced): (Span, Span), answer: impl Future<Output = Response> + Send + 'static) -> Answering {
    if log.is_disabled() && traced.is_disabled() {
        Box::pin(answer.map(Ok))
    } else {
        Box::pin(answer.map(Ok).instrument(traced).instrument(log))
    }
}

impl Surrounded {
    /// The route's answer, to a body out of its encoding: the limit of its size is kept where it is
    /// read, and so holds for what it decompresses to. In a box, since it is large and handed on.
    fn route(&mut self, mut request: Request) -> Answering {
        if let Some(sender) = request.extensions().get::<Sender>()
            && let Err(too_often) = self.around.base.options.rates.from_address(sender.address)
        {
            return ready(Ok(Refused::too_often(too_often).into_response())).boxed();
        }
        let Some(encoding) = request.headers().get(header::CONTENT_ENCODING) else {
            return self.route.call(request).boxed();
        };
        match encoding.to_str().map(str::to_ascii_lowercase).as_deref() {
            Ok("" | "identity") => self.route.call(request).boxed(),
            Ok("gzip") => {
                request.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                let answer = RequestDecompression::new(&mut self.route).call(request);
                answer.map(|answer| answer.map(|response| response.map(Body::new))).boxed()
            }
            other => ready(Ok(Refused::encoding(other.unwrap_or("?")).into_response())).boxed(),
        }
    }
}

/// The answer to a request that may come from a page of another origin, or ask whether it may.
async fn across_origins(cors: CorsLayer, mut inner: Surrounded, mut asked: Asked, request: Request) -> Response {
    let inside = |request| {
        let (answer, asked) = (inner.route(request), &asked);
        async { Ok::<_, Infallible>(asked.guarded(answer).await) }
    };
    let answer = cors.layer(service_fn(inside)).call(request).await;
    asked.finished(answer.unwrap_or_else(|never| match never {})).await
}

/// What is kept of a request until it is answered.
struct Asked {
    base: Base,
    id: HeaderValue,
    headers: Arc<HeaderMap>,
    uri: Uri,
    method: Method,
    route: Option<MatchedPath>,
    /// When it came, where its time is logged.
    since: Option<Instant>,
    /// Where it is counted.
    counted: Option<Counted>,
    traced: Span,
}

impl Asked {
    fn of(request: &mut Request, base: &Base) -> Self {
        let headers = Arc::new(request.headers().clone());
        let id = request_id::of(&headers);
        let route = request.extensions().get::<MatchedPath>().cloned();
        let counted = (base.options.counting == Counting::On)
            .then(|| Counted::since_now(AskedFor::of(request.method(), route.as_ref(), request.uri(), base.path)));
        let traced = traced::request(request.method(), route.as_ref(), request.uri(), base);
        request.extensions_mut().insert(Sent { headers: Arc::clone(&headers), id: id.clone() });
        Self {
            base: base.clone(),
            id,
            headers,
            uri: request.uri().clone(),
            method: request.method().clone(),
            route,
            since: tracing::enabled!(tracing::Level::DEBUG).then(Instant::now),
            counted,
            traced,
        }
    }

    /// Method and route; never the address, which may hold a person's name.
    fn span(&self) -> Span {
        tracing::debug_span!("rest.request", method = %self.method, route = self.route(), id = request_id::text(&self.id))
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("", MatchedPath::as_str)
    }

    async fn answered(mut self, answer: Answering) -> Response {
        let response = self.guarded(answer).await;
        self.finished(response).await
    }

    /// No request takes for ever, no defect takes the server down, and every refusal is explained.
    async fn guarded(&self, answer: Answering) -> Response {
        let caught = AssertUnwindSafe(answer).catch_unwind();
        let response = match tokio::time::timeout(self.base.options.timeout, caught).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(panic)) => self.panicked(&*panic).into_response(),
            Err(_) => Refused::timeout().into_response(),
        };
        explain(response, &self.headers, &self.uri, &self.id, &self.base)
    }

    fn panicked(&self, panic: &(dyn Any + Send)) -> Refused {
        let said = panic.downcast_ref::<&str>().copied();
        let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)");
        tracing::error!(id = request_id::text(&self.id), said, "a request panicked");
        Refused::defect()
    }

    /// The answer with what all have in common.
    async fn finished(&mut self, mut response: Response) -> Response {
        if let Some(counted) = &mut self.counted {
            counted.answered(&response);
        }
        traced::answered(&self.traced, &response);
        if self.headers.contains_key(header::ACCEPT_ENCODING) {
            // In a box: the futures of those who do not ask need no room for it.
            response = Box::pin(compressed(response, &self.headers)).await;
        }
        let headers = response.headers_mut();
        headers.insert(&request_id::HEADER, self.id.clone());
        // What browsers may do with answers.
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF.clone());
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
        headers.insert(header::REFERRER_POLICY, NO_REFERRER.clone());
        // The form of every answer hangs on these.
        headers.append(header::VARY, VARIES_WITH.clone());
        headers.entry(header::CACHE_CONTROL).or_insert_with(|| NO_CACHE.clone());
        if let Some(since) = self.since {
            let (status, microseconds) = (response.status().as_u16(), since.elapsed().as_micros());
            tracing::debug!(status, microseconds, "answered");
        }
        response
    }
}

// Checked when the program is compiled, not with each answer.
static NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
static POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
static NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
static VARIES_WITH: HeaderValue = HeaderValue::from_static("accept, accept-language, accept-encoding, prefer");
static NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache, private");

/// The answer in an encoding that these headers accept, where that is worth while.
async fn compressed(response: Response, headers: &HeaderMap) -> Response {
    let mut request = Request::new(());
    for accepted in headers.get_all(header::ACCEPT_ENCODING) {
        request.headers_mut().append(header::ACCEPT_ENCODING, accepted.clone());
    }
    let mut response = Some(response);
    let inside = service_fn(move |_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let answer = Compression::new(inside).call(request).await;
    let mut response = answer.unwrap_or_else(|never| match never {}).map(Body::new);
    // Said of all answers, by those who do not ask for an encoding too.
    if let header::Entry::Occupied(vary) = response.headers_mut().entry(header::VARY)
        && vary.iter().all(|name| name == "accept-encoding")
    {
        vary.remove();
    }
    response
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
                request_id::HEADER.clone(),
            ]),
    )
}
