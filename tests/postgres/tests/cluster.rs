//! What the tests may rely on.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use liaison_test_postgres::{Cluster, Installation, Setup, Stop};

fn durable() -> Cluster {
    Cluster::start(Setup { durable: true, ..Setup::default() })
}

#[test]
fn each_test_has_a_database_of_its_own() {
    let (one, other) = (Cluster::shared().database(), Cluster::shared().database());
    one.sql("CREATE TABLE only_here (x int)");
    assert_eq!(other.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'"), "0");
    let name = one.name().to_owned();
    drop(one);
    let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(other.sql(&there), "0", "it went with its test");
    let version: u32 = other.sql("SHOW server_version_num").parse().unwrap();
    assert_eq!(version / 10_000, Installation::find().version());
}

#[test]
fn a_database_is_as_an_operator_in_france_makes_it() {
    let database = Cluster::shared().database();
    let words = "SELECT string_agg(w, ' ' ORDER BY w) FROM (VALUES ('Zoé'), ('émile'), ('Eve')) AS v(w)";
    assert_eq!(database.sql(words), "émile Eve Zoé", "neither by bytes nor capitals first");
    assert_eq!(database.sql("SELECT date '2026-12-31'"), "31/12/2026");
    assert_eq!(database.sql("SELECT timestamptz '2026-07-01T00:00:00Z'"), "01/07/2026 02:00:00 CEST");
}

#[test]
fn what_was_committed_is_there_after_a_stop_as_by_a_power_cut() {
    let cluster = durable();
    let database = cluster.database();
    database.sql("CREATE TABLE kept (x int)");
    database.sql("INSERT INTO kept SELECT generate_series(1, 1000)");
    cluster.stop(Stop::Immediate);
    assert!(!cluster.runs());
    assert!(cluster.ask(database.name(), "SELECT 1").is_err(), "nobody answers");
    cluster.start_again();
    assert_eq!(database.sql("SELECT count(*) FROM kept"), "1000");
    assert!(cluster.log().contains("not properly shut down"), "{}", cluster.log());
    cluster.stop(Stop::Fast);
    cluster.start_again();
    assert_eq!(database.sql("SELECT count(*) FROM kept"), "1000");
}

#[test]
fn a_replica_takes_the_place_of_one_that_died() {
    let cluster = durable();
    let database = cluster.database();
    database.sql("CREATE TABLE kept (x int)");
    let replica = cluster.replica();
    database.sql("INSERT INTO kept VALUES (1)");
    let count = || replica.ask(database.name(), "SELECT count(*) FROM kept");
    assert_eq!(count().as_deref(), Ok("1"), "what is acknowledged is applied there");
    assert!(replica.ask(database.name(), "INSERT INTO kept VALUES (2)").is_err(), "it is only read");
    cluster.stop(Stop::Immediate);
    replica.promote();
    replica.sql(database.name(), "INSERT INTO kept VALUES (2)");
    assert_eq!(count().as_deref(), Ok("2"));
    let both = Cluster::url_of(&[&cluster, &replica], database.name());
    let asked = Command::new(Installation::find().program("psql")).args([&both, "-Atc", "SHOW port"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&asked.stdout).trim(), replica.port().to_string());
}

#[test]
fn settings_and_the_socket_are_as_asked() {
    let settings = vec![("max_connections".to_owned(), "7".to_owned())];
    let cluster = Cluster::start(Setup { settings, ..Setup::default() });
    assert_eq!(cluster.sql("postgres", "SHOW max_connections"), "7");
    assert_eq!(cluster.sql("postgres", "SHOW fsync"), "off");
    let socket = cluster.socket_folder().join(format!(".s.PGSQL.{}", cluster.port()));
    assert!(socket.exists(), "{}", socket.display());
    assert_eq!(durable().sql("postgres", "SHOW fsync"), "on");
}

/// Set for the process that is killed.
const KILLED: &str = "LIAISON_TEST_KILLED";

#[test]
fn nothing_is_left_of_a_process_that_was_killed() {
    if std::env::var_os(KILLED).is_some() {
        let cluster = Cluster::shared();
        println!("here {} {}", cluster.port(), cluster.socket_folder().display());
        std::thread::sleep(Duration::from_secs(600));
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "nothing_is_left_of_a_process_that_was_killed", "--nocapture"]).env(KILLED, "1");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let here = lines.map_while(Result::ok).find_map(|line| Some(line.split_once("here ")?.1.to_owned()));
    let here = here.expect("it says where its cluster is");
    let (port, folder) = here.split_once(' ').unwrap();
    let port: u16 = port.parse().unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!(Path::new(folder).exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let gone = || !Path::new(folder).exists() && std::net::TcpStream::connect(("127.0.0.1", port)).is_err();
    for _ in 0..600 {
        if gone() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{folder} is there still, or its server");
}
