//! Searches whose index follows other definitions are refused until it was made anew: here those of dates, by
//! another time zone.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use liaison_tests::{Fhir, Launch, Server, Store, binary, on_postgres, sample};
use serde_json::{Value, json};

const PARIS: (&str, &str) = ("LIAISON_TIME_ZONE", "Europe/Paris");
const REUNION: (&str, &str) = ("LIAISON_TIME_ZONE", "Indian/Reunion");

fn command(words: &[&str], zone: (&str, &str)) -> Command {
    let mut command = Command::new(binary());
    command.args(words).env(zone.0, zone.1);
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn reindex(store: &Store, zone: (&str, &str), more: &[&str]) -> Output {
    command(&[&["reindex", "--store", store.url()], more].concat(), zone).output().unwrap()
}

fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    said(output)
}

/// The birth date of a person: one of 28.
fn born(at: usize) -> String {
    format!("1950-02-{:02}", at % 28 + 1)
}

fn person(at: usize) -> Value {
    let mut person = sample::patient(&format!("p-{at}"), "Morel", "Jeanne");
    person["id"] = json!(format!("p-{at}"));
    person["birthDate"] = json!(born(at));
    person
}

/// A store with so many persons, written in a zone.
fn filled(folder: &Path, persons: usize, zone: (&str, &str)) -> Store {
    let store = Store::new();
    let file = folder.join("persons.ndjson");
    let lines: Vec<String> = (0..persons).map(|at| person(at).to_string()).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let imported = command(&["import", "--store", store.url(), file.to_str().unwrap()], zone).output().unwrap();
    done(&imported);
    store
}

async fn ids(base: &Fhir, question: &str) -> Vec<String> {
    let (mut ids, mut page) = (Vec::new(), Some(question.to_owned()));
    while let Some(address) = page {
        let bundle = base.get(&address).await.is(200).json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        ids.extend(entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
        let links = bundle["link"].as_array().cloned().unwrap_or_default();
        page =
            links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap().to_owned());
    }
    ids
}

/// What rests on birth dates.
async fn answers(base: &Fhir) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for day in 0..28 {
        let mut found = ids(base, &format!("Patient?birthdate={}&_count=500&_sort=_id", born(day))).await;
        found.sort();
        all.push(found);
    }
    for question in ["birthdate=lt1950-02-10", "birthdate=ge1950-02-20T00:00:00%2B04:00", "birthdate:missing=true"] {
        all.push(ids(base, &format!("Patient?{question}&_count=500&_sort=-birthdate,_id")).await);
    }
    all
}

async fn serve(store: &Store, settings: &[(&str, &str)]) -> Server {
    Server::launch(Launch::on(store.clone()).with(settings)).await
}

async fn is_ready(server: &Server) -> bool {
    server.site().get("readyz").await.is(200).text() == "ready\n"
}

async fn becomes_ready(server: &Server) {
    let mut waited = 0;
    while !is_ready(server).await {
        waited += 1;
        assert!(waited < 1200, "the index is never ready:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_and_said_and_all_else_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 5, PARIS);
    let server = serve(&store, &[REUNION]).await;
    let r4 = server.r4();
    for question in [
        "Patient?birthdate=1950-02-01",
        "Patient?_sort=birthdate",
        "Patient?birthdate:missing=true",
        "Patient?name=morel&birthdate=ge1900",
        "DocumentReference?patient.birthdate=1950-02-01",
        "DocumentReference?date=2024-01-01",
    ] {
        let answer = r4.get(question).await.is(503);
        assert_eq!(answer.header("retry-after"), "60", "{question}");
        let issue = answer.json()["issue"][0].clone();
        assert_eq!(issue["code"], "transient", "{question}");
        let text = issue["details"]["text"].as_str().unwrap();
        let named = if question.contains("birthdate") { "Patient.birthdate" } else { "DocumentReference.date" };
        assert!(text.contains(named) && text.contains("liaison reindex"), "{question}: {text}");
    }
    assert_eq!(r4.get("Patient?name=morel").await.is(200).json()["total"], 5);
    assert_eq!(r4.get("Patient?_sort=name").await.is(200).json()["total"], 5);
    r4.get("Patient/p-1").await.is(200);
    // A condition that cannot be looked at would make again what is there.
    let again = r4.request("POST", "Patient").json(&sample::patient("p-9", "Autre", "Nom"));
    again.header("if-none-exist", "birthdate=1950-02-01").send().await.is(503);
    let names = |statement: Value, kind: &str| -> Vec<String> {
        let resources = statement["rest"][0]["resource"].as_array().unwrap().clone();
        let of = resources.into_iter().find(|resource| resource["type"] == kind).unwrap();
        of["searchParam"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    for base in [&r4, &server.stu3()] {
        let said = names(base.get("metadata").await.is(200).json(), "Patient");
        assert!(said.contains(&"name".to_owned()) && !said.contains(&"birthdate".to_owned()), "{said:?}");
    }
    let ready = server.site().get("readyz").await.is(200).text();
    assert!(
        ready.starts_with("ready\n") && ready.contains("Appointment.date") && ready.contains("liaison reindex"),
        "{ready}"
    );
    assert!(server.log().contains("wait for their index"), "{}", server.log());
    let doctor = command(&["doctor", "--store", store.url(), "--listen", "127.0.0.1:0"], REUNION).output().unwrap();
    assert_eq!(doctor.status.code(), Some(1));
    assert!(said(&doctor).contains("liaison reindex --store"), "{}", said(&doctor));
    assert_eq!(server.stop().await.code(), Some(0));

    assert!(done(&reindex(&store, REUNION, &["--type", "Patient"])).contains("5 of them had other rows"));
    let server = serve(&store, &[REUNION]).await;
    assert_eq!(ids(&server.r4(), "Patient?birthdate=1950-02-01").await, ["p-0"]);
    server.r4().get("DocumentReference?date=2024-01-01").await.is(503);
    assert!(names(server.r4().get("metadata").await.is(200).json(), "Patient").contains(&"birthdate".to_owned()));
    assert_eq!(server.stop().await.code(), Some(0));
    done(&reindex(&store, REUNION, &[]));
    assert!(done(&reindex(&store, REUNION, &[])).contains("nothing was to be done"));
    let server = serve(&store, &[REUNION]).await;
    assert!(is_ready(&server).await);
    server.r4().get("DocumentReference?date=2024-01-01").await.is(200);
}

#[tokio::test]
async fn one_that_is_killed_goes_on_and_ends_as_if_all_had_been_written_so() {
    const PERSONS: usize = 800;
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), PERSONS, PARIS);
    // Whoever serves says what the index is to follow.
    assert_eq!(serve(&store, &[REUNION]).await.stop().await.code(), Some(0));
    let mut passed = 0;
    for kills in 0..3 {
        let mut words = command(&["reindex", "--store", store.url()], REUNION);
        words.env("LIAISON_LOG_LEVEL", "debug").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = words.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut pieces = 0;
        // Killed by what it did, not by the clock.
        while pieces < 2 + kills {
            let line = lines.next().expect("it ends before it was killed").unwrap();
            if line.contains("a piece was indexed anew") {
                pieces += 1;
                passed += count_in(&line);
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(passed > 0);
    let server = serve(&store, &[REUNION]).await;
    server.r4().get("Patient?birthdate=1950-02-01").await.is(503);
    assert_eq!(server.stop().await.code(), Some(0));
    let last = done(&reindex(&store, REUNION, &[]));
    let by_this_run: usize = last.split('(').nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    // However small the pieces were: the machine may be busy.
    let all: usize = last.split(' ').next().unwrap().parse().unwrap();
    assert!(by_this_run + passed <= all, "what was done is not done again: {by_this_run} after {passed}\n{last}");
    let server = serve(&store, &[REUNION]).await;
    let from_the_start = serve(&filled(folder.path(), PERSONS, REUNION), &[REUNION]).await;
    let (found, wanted) = (answers(&server.r4()).await, answers(&from_the_start.r4()).await);
    assert_eq!(found.iter().take(28).map(Vec::len).sum::<usize>(), PERSONS);
    assert_eq!(found, wanted);
    assert_eq!(server.stop().await.code(), Some(0));
    done(
        &command(&["doctor", "--check-store", "--store", store.url(), "--listen", "127.0.0.1:0"], REUNION)
            .output()
            .unwrap(),
    );
}

/// How many resources a line of the log says.
fn count_in(line: &str) -> usize {
    let number = line.split("passed=").nth(1).map(|rest| rest.split(' ').next().unwrap_or_default());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

#[tokio::test]
async fn reads_and_writes_go_on_beside_it_and_nothing_of_them_is_lost() {
    const PERSONS: usize = 600;
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), PERSONS, PARIS);
    // The one writer of a file does it itself.
    let by_itself = if on_postgres() { "off" } else { "on" };
    let server = serve(&store, &[REUNION, ("LIAISON_REINDEX", by_itself)]).await;
    let going_on = Arc::new(AtomicBool::new(true));
    let writers: Vec<_> = (0..4_usize)
        .map(|writer| {
            let (base, going_on) = (server.r4(), Arc::clone(&going_on));
            tokio::spawn(async move {
                let mut done = 0;
                while going_on.load(Ordering::SeqCst) || done < 20 {
                    // Some there are given another day, some are new, some go.
                    let at = writer + 4 * done;
                    let mut changed = person(at);
                    changed["birthDate"] = json!(born(at + 1));
                    base.put(&format!("Patient/p-{at}"), &changed).await.is(200);
                    base.put(&format!("Patient/p-{}", PERSONS + at), &person(PERSONS + at)).await.is(201);
                    base.delete(&format!("Patient/p-{}", PERSONS - 1 - at)).await;
                    base.get(&format!("Patient/p-{at}")).await.is(200);
                    assert_eq!(base.get(&format!("Patient?_id=p-{at}")).await.is(200).json()["total"], 1);
                    done += 1;
                    if done == 100 {
                        break;
                    }
                }
                done
            })
        })
        .collect();
    if on_postgres() {
        let url = store.url().to_owned();
        let beside = move || command(&["reindex", "--store", &url], REUNION).output().unwrap();
        done(&tokio::task::spawn_blocking(beside).await.unwrap());
    }
    becomes_ready(&server).await;
    going_on.store(false, Ordering::SeqCst);
    let mut done_by = Vec::new();
    for writer in writers {
        done_by.push(writer.await.unwrap());
    }
    let mut wanted: Vec<Vec<String>> = vec![Vec::new(); 28];
    let gone = |at: usize| {
        let from_the_end = (PERSONS - 1).wrapping_sub(at);
        at < PERSONS && from_the_end / 4 < done_by[from_the_end % 4]
    };
    for at in 0..2 * PERSONS {
        let (turn, day) = match at.checked_sub(PERSONS) {
            Some(new) => (new, at),
            None => (at, at + usize::from(at / 4 < done_by[at % 4])),
        };
        let is_there = if at >= PERSONS { turn / 4 < done_by[turn % 4] } else { !gone(at) };
        if is_there {
            wanted[day % 28].push(format!("p-{at}"));
        }
    }
    wanted.iter_mut().for_each(|day| day.sort());
    assert_eq!(answers(&server.r4()).await[..28], wanted);
}

#[tokio::test]
async fn what_is_indexed_as_it_should_be_is_found_so_and_left() {
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    let circle = sample::circle(&r4).await;
    for at in 0..3 {
        let note = sample::note(&circle.patient, &circle.role, &format!("Texte {at}"));
        sample::create(&r4, &note).await;
    }
    // With the address of this server before names, and written in the other form.
    let absolute =
        sample::note(&format!("{}/fhir/r4/{}", server.root(), circle.patient), &circle.practitioner, "absolu");
    let absolute = sample::create(&r4, &absolute).await;
    let mut of_2017 = stu3.get(&absolute).await.is(200).json();
    of_2017.as_object_mut().unwrap().remove("id");
    of_2017.as_object_mut().unwrap().remove("meta");
    stu3.post("DocumentReference", &of_2017).await.is(201);
    let photo: Vec<u8> = b"\x89PNG\r\n\x1a\n".iter().copied().chain((0..100_000).map(|at| at as u8)).collect();
    let heavy = sample::note(&circle.patient, &circle.role, "x");
    let heavy = sample::with(heavy, "/content", json!([{ "attachment": sample::attachment("image/png", &photo) }]));
    sample::create(&r4, &heavy).await;
    let about = format!("DocumentReference?subject={}&_sort=_id", circle.patient);
    let before = ids(&r4, &about).await;
    assert_eq!(before.len(), 6);
    let store = server.store();
    assert_eq!(server.stop().await.code(), Some(0));
    let all = done(&reindex(&store, PARIS, &["--all"]));
    assert!(all.contains(", 0 of them had other rows"), "{all}");
    let server = serve(&store, &[PARIS]).await;
    assert_eq!(ids(&server.r4(), &about).await, before);
    server.r4().delete(&circle.patient).await.is(409);
    assert_eq!(server.stop().await.code(), Some(0));
    done(
        &command(&["doctor", "--check-store", "--store", store.url(), "--listen", "127.0.0.1:0"], PARIS)
            .output()
            .unwrap(),
    );
    let wrong = reindex(&store, PARIS, &["--type", "Note"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", said(&wrong));
}

#[tokio::test]
async fn of_two_versions_side_by_side_the_former_is_shut_out_when_it_begins() {
    if !on_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 50, PARIS);
    let former = serve(&store, &[PARIS]).await;
    assert_eq!(ids(&former.r4(), "Patient?birthdate=1950-02-01&_sort=_id").await.len(), 2);
    let later = serve(&store, &[REUNION]).await;
    // Both serve and write what they can.
    for (server, at) in [(&former, 112), (&later, 140)] {
        server.r4().put(&format!("Patient/p-{at}"), &person(at)).await.is(201);
        server.r4().get("Patient?birthdate=1950-02-01").await.is(503);
        server.r4().get("Patient?name=morel").await.is(200);
    }
    // Neither from a machine with other settings, nor by the version that is on its way out.
    for zone in [PARIS, ("LIAISON_TIME_ZONE", "Asia/Tokyo")] {
        let refused = reindex(&store, zone, &[]);
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains("other definitions"), "{}", said(&refused));
    }
    done(&reindex(&store, REUNION, &[]));
    becomes_ready(&later).await;
    let mut found = ids(&later.r4(), "Patient?birthdate=1950-02-01").await;
    found.sort();
    assert_eq!(found, ["p-0", "p-112", "p-140", "p-28"]);
    let refused = former.r4().put("Patient/p-168", &person(168)).await.is(503);
    assert_eq!(refused.header("retry-after"), "60");
    let unready = former.site().get("readyz").await.is(503).text();
    assert!(unready.contains("another version"), "{unready}");
    former.r4().get("Patient/p-140").await.is(200);
}
