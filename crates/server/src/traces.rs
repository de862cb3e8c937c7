//! Traces: one span a request, with what it waits for, told to a collector by OTLP over HTTP
//! (`docs/decisions/0031-figures-and-traces.md`).
//!
//! What leaves the program are the spans of the target `traced`, and nothing else: no events, no logs. The
//! names of their attributes are in `docs/operators/traces.md`; none holds a person's data.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use liaison_outbound::{
    http_client::{Bounds, HttpClient},
    public::Named,
};
use opentelemetry::{context::FutureExt as _, propagation::TextMapPropagator as _, trace::TracerProvider as _};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

use crate::failure::Failure;

/// The target of the spans that leave the program.
const TARGET: &str = "traced";

/// What a collector may take to say that it has what it was sent.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), bytes: 64 * 1024 };

/// Where spans go.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// To the collector at this address. To be called where futures run: they send what is told.
    pub fn to(endpoint: &str) -> Result<Self, Failure> {
        let failed = "traces cannot be told";
        let client =
            HttpClient::to(Named::by(endpoint).into_iter().collect()).map_err(|error| Failure::of(failed, error))?;
        let sender = Sender { client, runtime: Handle::current(), failing: Arc::default() };
        let exporter = SpanExporter::builder().with_http().with_http_client(sender).with_endpoint(traces_at(endpoint));
        let exporter = exporter.build().map_err(|error| Failure::of(failed, error))?;
        // Attributes of the environment (OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME) are taken too.
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("liaison");
        }
        let resource =
            resource.with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
        Ok(Self { provider })
    }

    /// What takes spans as they end.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let leaves = FilterFn::new(|about| about.is_span() && about.target() == TARGET);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("liaison"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(leaves.with_max_level_hint(tracing::Level::INFO))
    }

    /// A router whose requests belong to the traces of their callers (`traceparent`).
    pub fn around(router: Router) -> Router {
        router.layer(middleware::from_fn(of_the_caller))
    }

    /// Tells what was not told yet.
    pub async fn finish(self) {
        let told = tokio::task::spawn_blocking(move || self.provider.shutdown()).await;
        if !matches!(told, Ok(Ok(()))) {
            tracing::warn!("the last traces were not taken");
        }
    }
}

async fn of_the_caller(request: Request, next: Next) -> Response {
    let theirs = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    next.run(request).with_context(theirs).await
}

/// The address of traces below that of a collector.
fn traces_at(endpoint: &str) -> String {
    const PATH: &str = "/v1/traces";
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.ends_with(PATH) { endpoint.to_owned() } else { format!("{endpoint}{PATH}") }
}

/// Sends from the threads of the program what the thread of the exporter waits for.
#[derive(Debug)]
struct Sender {
    client: HttpClient,
    runtime: Handle,
    /// Whether the last attempt failed: said once, not with each batch.
    failing: Arc<AtomicBool>,
}

type Sending<'s> = Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send + 's>>;

impl opentelemetry_http::HttpClient for Sender {
    fn send_bytes<'s, 'f>(&'s self, request: http::Request<Bytes>) -> Sending<'f>
    where
        's: 'f,
        Self: 'f,
    {
        let (client, failing) = (self.client.clone(), Arc::clone(&self.failing));
        let sent = self.runtime.spawn(async move {
            let answer = client.ask(request, BOUNDS).await;
            let failed = match &answer {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(format!("it answers {}", answer.status())),
                Err(error) => Some(error.to_string()),
            };
            match failed {
                None => failing.store(false, Ordering::Relaxed),
                Some(why) if !failing.swap(true, Ordering::Relaxed) => {
                    tracing::warn!("the collector of traces does not take them: {why}");
                }
                Some(_) => {}
            }
            answer
        });
        Box::pin(async move { Ok(sent.await??) })
    }
}

#[cfg(test)]
mod tests {
    use super::traces_at;

    #[test]
    fn traces_have_an_address_below_that_of_the_collector() {
        assert_eq!(traces_at("http://127.0.0.1:4318"), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(traces_at("http://127.0.0.1:4318/"), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(traces_at("https://c.example.org/x/v1/traces"), "https://c.example.org/x/v1/traces");
    }
}
