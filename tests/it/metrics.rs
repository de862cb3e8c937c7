//! Figures: those that are documented and no others, each of them true, none of them about a person.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use liaison_tests::{Fhir, Launch, Server, Store, on_postgres, sample};
use serde_json::json;

const DOCUMENT: &str = include_str!("../../docs/operators/metrics.md");

/// Name and kind of every documented figure.
fn documented() -> BTreeMap<&'static str, &'static str> {
    let rows = DOCUMENT.lines().filter_map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let (name, kind) = (cells.next()?.strip_prefix('`')?.strip_suffix('`')?, cells.next()?);
        ["counter", "gauge", "histogram"].contains(&kind).then_some((name, kind))
    });
    rows.collect()
}

/// What a scrape gave: kinds by name, values by series.
struct Scrape {
    kinds: BTreeMap<String, String>,
    values: BTreeMap<String, f64>,
    text: String,
}

async fn scrape(watch: &Fhir) -> Scrape {
    let answer = watch.get("metrics").await.is(200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let values = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        (series.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
    });
    Scrape { kinds: kinds.map(|(n, k)| (n.into(), k.into())).collect(), values: values.collect(), text: text.clone() }
}

impl Scrape {
    fn value(&self, series: &str) -> f64 {
        self.values.get(series).copied().unwrap_or_default()
    }

    /// The sum over all series of a name.
    fn sum(&self, name: &str) -> f64 {
        let of = |series: &str| series.split('{').next() == Some(name);
        self.values.iter().filter(|(series, _)| of(series)).map(|(_, value)| value).sum()
    }
}

/// A server that shows its figures, and a client for them.
async fn watched() -> (Server, Fhir) {
    let server = Server::start_with(&[("LIAISON_METRICS_LISTEN", "127.0.0.1:0"), ("LIAISON_MAX_BODY", "64KB")]).await;
    let address = loop {
        // What it says on standard error comes when it comes.
        let log = server.log();
        match log.split("figures at ").nth(1).and_then(|rest| rest.split_once("/metrics")) {
            Some((address, _)) => break address.to_owned(),
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let watch = Fhir::new(reqwest::Client::builder().no_proxy().build().unwrap(), address);
    (server, watch)
}

#[tokio::test]
async fn every_documented_figure_is_shown_and_no_other() {
    let (server, watch) = watched().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    r4.get(&circle.patient).await.is(200);
    r4.get("Patient").await.is(200);
    let shown = scrape(&watch).await;
    let shown: BTreeMap<&str, &str> = shown.kinds.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    assert_eq!(shown, documented());
}

#[tokio::test]
async fn figures_move_with_what_happens() {
    let (server, watch) = watched().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let note = sample::create(&r4, &sample::note(&circle.patient, &circle.practitioner, "Bonne nuit.")).await;
    let before = scrape(&watch).await;
    let patient = sample::patient("279035121518989", "Dupond", "Odette");
    r4.post("Patient", &patient).await.is(201);
    for _ in 0..3 {
        r4.get(&note).await.is(200);
    }
    r4.get("DocumentReference?status=current").await.is(200);
    r4.get("DocumentReference/nobody").await.is(404);
    r4.post("", &json!({ "resourceType": "Bundle", "type": "transaction" })).await.is(200);
    r4.get("DocumentReference?_count=100000").await.is(400);
    // The last: its connection is closed on a body that is not read.
    r4.request("POST", "Patient").body("application/fhir+json", vec![b' '; 70_000]).send().await.is(413);
    let after = scrape(&watch).await;
    for (series, by) in [
        (r#"liaison_requests_total{interaction="create",class="person",status="201"}"#, 1.0),
        (r#"liaison_requests_total{interaction="read",class="note",status="200"}"#, 3.0),
        (r#"liaison_requests_total{interaction="read",class="note",status="404"}"#, 1.0),
        (r#"liaison_requests_total{interaction="search-type",class="note",status="200"}"#, 1.0),
        (r#"liaison_requests_total{interaction="transaction",class="none",status="200"}"#, 1.0),
        (r#"liaison_requests_total{interaction="create",class="person",status="413"}"#, 1.0),
        (r#"liaison_request_seconds_count{interaction="read"}"#, 4.0),
        (r#"liaison_request_seconds_bucket{interaction="read",le="+Inf"}"#, 4.0),
        (r#"liaison_refused_by_limits_total{limit="too-long"}"#, 1.0),
        (r#"liaison_refused_by_limits_total{limit="too-costly"}"#, 1.0),
        ("liaison_search_seconds_count", 1.0),
    ] {
        assert_eq!(after.value(series) - before.value(series), by, "{series}\n{}", after.text);
    }
    // The first reads it, the next ones find it kept, where no other node writes.
    let kept = r#"liaison_store_reads_total{from="memory"}"#;
    assert!(on_postgres() || after.value(kept) - before.value(kept) >= 2.0, "{}", after.text);
    let read = r#"liaison_store_reads_total{from="store"}"#;
    assert!(after.value(read) > before.value(read), "{}", after.text);
    let done = r#"liaison_store_commits_total{outcome="done"}"#;
    let commits = after.value(done) - before.value(done);
    assert!(commits >= 1.0);
    for name in ["liaison_store_commit_seconds", "liaison_store_commit_writes"] {
        let count = format!("{name}_count");
        assert_eq!(after.value(&count) - before.value(&count), commits, "{name}");
        assert!(after.value(&format!("{name}_sum")) > before.value(&format!("{name}_sum")), "{name}");
    }
    let writes = after.value("liaison_store_write_wait_seconds_count");
    assert_eq!(writes, after.value("liaison_store_commit_writes_sum"), "each write waited once, and was committed");
    assert_eq!(after.value("liaison_store_writes_waiting"), 0.0);
    assert_eq!(after.value("liaison_requests_in_flight"), 0.0);
    assert_eq!(after.value(r#"liaison_store_commits_total{outcome="failed"}"#), 0.0);
    assert_eq!(after.sum("liaison_store_ailment"), 0.0);
    let bytes = after.sum("liaison_store_bytes");
    assert!(if on_postgres() { bytes > 0.0 } else { bytes == server.store().bytes() as f64 }, "{bytes}");
    assert_eq!(after.sum("liaison_build_info"), 1.0);
    assert!(after.value("process_cpu_seconds_total") >= before.value("process_cpu_seconds_total"));
    let rss = after.value("process_resident_memory_bytes");
    assert!((1e6..1e9).contains(&rss), "{rss}");
    assert!(after.value("process_threads") >= 3.0);
    assert!(after.value("process_open_fds") >= 5.0 && after.value("process_open_fds") < after.value("process_max_fds"));
    let since_boot = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let began = after.value("process_start_time_seconds");
    assert!((since_boot - began).abs() < 120.0, "{began}");
    assert!((0.0..120.0).contains(&after.value("liaison_uptime_seconds")));
}

#[tokio::test]
async fn a_request_in_flight_is_one_until_it_is_answered_or_abandoned() {
    use tokio::io::AsyncWriteExt as _;
    let (server, watch) = watched().await;
    let mut connection = tokio::net::TcpStream::connect(server.root().trim_start_matches("http://")).await.unwrap();
    let head = "POST /fhir/r4/Patient HTTP/1.1\r\nhost: a\r\ncontent-type: application/fhir+json\r\ncontent-length: 9\r\n\r\n{";
    connection.write_all(head.as_bytes()).await.unwrap();
    until(&watch, |scrape| scrape.value("liaison_requests_in_flight") == 1.0).await;
    drop(connection);
    let abandoned = r#"liaison_requests_total{interaction="create",class="person""#;
    until(&watch, |scrape| scrape.value("liaison_requests_in_flight") == 0.0).await;
    let shown = scrape(&watch).await;
    assert!(shown.text.contains(abandoned), "{}", shown.text);
}

async fn until(watch: &Fhir, holds: impl Fn(&Scrape) -> bool) {
    for _ in 0..200 {
        if holds(&scrape(watch).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not in five seconds:\n{}", scrape(watch).await.text);
}

#[tokio::test]
async fn no_label_holds_what_a_caller_sent() {
    let (server, watch) = watched().await;
    let r4 = server.r4();
    let circle = sample::circle(&r4).await;
    let secret = "jean-dupont-1950";
    for address in
        [secret.to_owned(), format!("Patient/{secret}"), format!("Patient?name={secret}"), format!("x/y/z/{secret}")]
    {
        r4.get(&address).await;
    }
    r4.request("GET", &circle.patient).header("x-request-id", secret).send().await.is(200);
    r4.request("BREW", secret).send().await;
    let shown = scrape(&watch).await;
    let id = circle.patient.trim_start_matches("Patient/");
    assert!(!shown.text.contains(secret) && !shown.text.contains(id), "{}", shown.text);
    let labels: BTreeSet<&str> =
        shown.text.split(['{', ',']).filter_map(|part| part.split_once("=\"")).map(|(label, _)| label).collect();
    let known =
        ["class", "for", "from", "interaction", "kind", "le", "limit", "outcome", "part", "status", "version", "why"];
    assert_eq!(labels, BTreeSet::from(known));
}

#[tokio::test]
async fn nothing_is_shown_unless_asked_for() {
    let server = Server::start().await;
    server.site().get("metrics").await.is(404);
    assert!(!server.log().contains("figures at"));
}

#[tokio::test]
async fn an_address_that_is_taken_is_refused_before_anything_is_served() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let launch = Launch::on(Store::in_a_file()).with(&[("LIAISON_METRICS_LISTEN", &address)]);
    let Err(refused) = Server::try_launch(launch).await else { panic!("it serves without its figures") };
    assert_eq!(refused.status, Some(1));
    assert!(refused.said.contains("another program listens there"), "{}", refused.said);
}
