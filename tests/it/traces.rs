//! Traces: what a collector is told of requests, and what it is never told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use liaison_tests::{Server, sample};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A collector: it takes OTLP over HTTP, and keeps the requests as they are on the wire.
struct Collector {
    address: String,
    taken: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let taking = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(take(connection, Arc::clone(&taking)));
            }
        });
        Self { address, taken }
    }

    /// All that it was told, once the server has told all.
    async fn told(&self, server: Server) -> Vec<ExportTraceServiceRequest> {
        assert_eq!(server.stop().await.code(), Some(0));
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|bytes| ExportTraceServiceRequest::decode(bytes.as_slice()).expect("protobuf")).collect()
    }
}

async fn take(connection: TcpStream, taken: Arc<Mutex<Vec<Vec<u8>>>>) -> Option<()> {
    let mut connection = BufReader::new(connection);
    loop {
        let (mut head, mut line) = (String::new(), String::new());
        while connection.read_line(&mut line).await.ok()? > 2 {
            head.push_str(&line.to_ascii_lowercase());
            line.clear();
        }
        if head.is_empty() {
            return None;
        }
        assert!(head.starts_with("post /v1/traces "), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let length = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        taken.lock().unwrap().push(body);
        let done = ExportTraceServiceResponse::default().encode_to_vec();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            done.len()
        );
        connection.write_all(head.as_bytes()).await.ok()?;
        connection.write_all(&done).await.ok()?;
    }
}

async fn traced(collector: &Collector) -> Server {
    Server::start_with(&[("LIAISON_OTLP_ENDPOINT", &collector.address)]).await
}

fn spans(told: &[ExportTraceServiceRequest]) -> Vec<Span> {
    let scopes = told.iter().flat_map(|told| &told.resource_spans).flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| scope.spans.clone()).collect()
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} among {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0]
}

const THEIRS: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn a_request_is_one_span_of_its_callers_trace_with_what_it_waited_for() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let note = sample::note(&circle.patient, &circle.practitioner, "Nuit calme.");
    let theirs = format!("00-{THEIRS}-b7ad6b7169203331-01");
    r4.request("POST", "DocumentReference").header("traceparent", &theirs).json(&note).send().await.is(201);
    let told = collector.told(server).await;
    let resource = told[0].resource_spans[0].resource.as_ref().expect("whose spans they are");
    let about = attributes(&resource.attributes);
    assert_eq!(about["service.name"], "liaison");
    let all = spans(&told);
    let of_trace: Vec<Span> = all.into_iter().filter(|span| hex(&span.trace_id) == THEIRS).collect();
    let request = named(&of_trace, "create DocumentReference");
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(request.kind, 2, "a server's");
    let said = attributes(&request.attributes);
    let said: Vec<(&str, &str)> = said.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        said,
        [
            ("fhir.interaction", "create"),
            ("fhir.release", "r4"),
            ("fhir.type", "DocumentReference"),
            ("http.request.method", "POST"),
            ("http.response.status_code", "201"),
            ("http.route", "/fhir/r4/{type}"),
        ],
        "this and nothing else"
    );
    let mut ends = request.start_time_unix_nano;
    for name in ["app.validate", "store.wait", "store.commit"] {
        let child = named(&of_trace, name);
        assert_eq!(child.parent_span_id, request.span_id, "{name}");
        assert!(attributes(&child.attributes).is_empty() && child.events.is_empty(), "{child:?}");
        assert!(child.start_time_unix_nano >= ends, "{name} comes after what was before");
        assert!(child.end_time_unix_nano >= child.start_time_unix_nano, "{name}");
        ends = child.end_time_unix_nano;
    }
    assert!(request.end_time_unix_nano >= ends);
    assert_eq!(of_trace.len(), 4);
}

#[tokio::test]
async fn searches_transactions_and_refusals_say_what_they_are() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let r4 = server.r4();
    r4.get("Patient?name=jean").await.is(200);
    r4.get("Patient/nobody").await.is(404);
    r4.get("Inconnu/1").await.is(404);
    r4.post("", &json!({ "resourceType": "Bundle", "type": "transaction" })).await.is(200);
    server.stu3().request("BREW", "Patient").send().await.is(405);
    let told = collector.told(server).await;
    let all = spans(&told);
    let search = named(&all, "search-type Patient");
    assert_eq!(named(&all, "store.search").parent_span_id, search.span_id);
    assert!(search.parent_span_id.is_empty(), "nobody's part");
    assert_eq!(attributes(&named(&all, "read Patient").attributes)["http.response.status_code"], "404");
    assert_eq!(attributes(&named(&all, "bundle").attributes)["fhir.interaction"], "transaction");
    let unknown = attributes(&named(&all, "read").attributes);
    assert!(!unknown.contains_key("fhir.type"), "only a type that is known is named");
    let brewed = attributes(&named(&all, "unknown Patient").attributes);
    assert_eq!((brewed["http.request.method"].as_str(), brewed["fhir.release"].as_str()), ("_OTHER", "stu3"));
}

#[tokio::test]
async fn nothing_that_leaves_the_program_is_about_a_person() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let r4 = server.r4();
    let (family, text) = ("Desmoulins-Verdier", "Chute dans la salle de bains");
    let patient = sample::create(&r4, &sample::patient("279035121518989", family, "Odette")).await;
    let practitioner = sample::create(&r4, &sample::practitioner("810002909371", "Roy", "Paul")).await;
    let note = sample::create(&r4, &sample::note(&patient, &practitioner, text)).await;
    r4.get(&format!("DocumentReference?subject={patient}&patient.name={family}")).await.is(200);
    r4.get(&format!("Patient?identifier=279035121518989&_count=a{family}")).await.is(400);
    r4.request("GET", &note).header("x-request-id", family).send().await.is(200);
    r4.get(family).await.is(404);
    let told = collector.told(server).await;
    assert!(spans(&told).len() >= 10, "something was told");
    let taken = collector.taken.lock().unwrap().concat();
    let id = |name: &str| name.split_once('/').expect("a name").1.to_owned();
    for secret in [family.to_owned(), text.to_owned(), "279035121518989".to_owned(), id(&patient), id(&note)] {
        assert!(!contains(&taken, secret.as_bytes()), "{secret}");
    }
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_told_of_once_and_keeps_nobody() {
    let server =
        Server::start_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), ("OTEL_BSP_SCHEDULE_DELAY", "50")])
            .await;
    let r4 = server.r4();
    for _ in 0..10 {
        r4.get("Patient").await.is(200);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let said = server.log().matches("the collector of traces does not take them").count();
    assert_eq!(said, 1, "{}", server.log());
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_caller_that_does_not_record_is_not_recorded() {
    let collector = Collector::start().await;
    let server = traced(&collector).await;
    let unrecorded = format!("00-{THEIRS}-b7ad6b7169203331-00");
    server.r4().request("GET", "Patient").header("traceparent", &unrecorded).send().await.is(200);
    server.r4().request("GET", "Patient").header("traceparent", "00-nonsense").send().await.is(200);
    let told = spans(&collector.told(server).await);
    assert_eq!(named(&told, "search-type Patient").parent_span_id, Vec::<u8>::new(), "the other one, by itself");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
