//! `liaison export` and `liaison import`: what comes out goes in again, also after a fall in between.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use liaison_tests::{Fhir, Server, Store, binary, sample};
use serde_json::{Value, json};

fn run(words: &[&str]) -> Output {
    Command::new(binary()).args(words).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The files of an export, as words for an import.
fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path().display().to_string()).collect();
    files.sort();
    files
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "half a line in {}", file.display());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn export(store: &Store, out: &Path) -> Output {
    run(&["export", "--store", store.url(), "--out", out.to_str().unwrap()])
}

fn import(store: &Store, files: &[String]) -> Output {
    let mut words = vec!["import", "--store", store.url()];
    words.extend(files.iter().map(String::as_str));
    run(&words)
}

/// A file of persons, and a file of notes about them, each with a key of its own.
fn written(folder: &Path, persons: usize, notes: usize) -> Vec<String> {
    let person = |at: usize| {
        let mut person = sample::patient(&format!("p-{at}"), "Morel", "Jeanne");
        person["id"] = json!(format!("p-{at}"));
        person.to_string()
    };
    let note = |at: usize| {
        let mut note = sample::note(&format!("Patient/p-{}", at % persons), "Practitioner/n", &format!("Texte {at}"));
        note["id"] = json!(format!("n-{at}"));
        sample::named(note, &format!("n-{at}")).to_string()
    };
    let mut author = sample::practitioner("n", "Dubreuil", "Claire");
    author["id"] = json!("n");
    let put = |name: &str, lines: Vec<String>| {
        let path: PathBuf = folder.join(name);
        std::fs::write(&path, lines.join("\n")).unwrap();
        path.display().to_string()
    };
    vec![
        put("notes.ndjson", (0..notes).map(note).collect()),
        put("persons.ndjson", (0..persons).map(person).chain([author.to_string()]).collect()),
    ]
}

/// Everything of a type on a base, by id, without what only this store says of it.
async fn all(base: &Fhir, kind: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut page = Some(format!("{kind}?_count=200"));
    while let Some(address) = page {
        let bundle = base.get(&address).await.is(200).json();
        for entry in bundle["entry"].as_array().into_iter().flatten() {
            let id = entry["resource"]["id"].as_str().unwrap().to_owned();
            // Read by itself: whole.
            let mut resource = base.get(&format!("{kind}/{id}")).await.is(200).json();
            resource.as_object_mut().unwrap().remove("meta");
            let content = resource.get_mut("content").and_then(Value::as_array_mut);
            for content in content.into_iter().flatten() {
                content["attachment"].as_object_mut().unwrap().remove("url");
            }
            found.insert(id, resource);
        }
        let links = bundle["link"].as_array().cloned().unwrap_or_default();
        page =
            links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap().to_owned());
    }
    found
}

#[tokio::test]
async fn what_comes_out_goes_in_again_on_both_bases() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let (r4, stu3) = (server.r4(), server.stu3());
    let circle = sample::circle(&r4).await;
    let photo: Vec<u8> = b"\x89PNG\r\n\x1a\n".iter().copied().chain((0..100_000).map(|at| at as u8)).collect();
    let heavy = sample::note(&circle.patient, &circle.role, "x");
    let heavy = sample::with(heavy, "/content", json!([{ "attachment": sample::attachment("image/png", &photo) }]));
    sample::create(&r4, &heavy).await;
    let light = sample::create(&r4, &sample::note(&circle.patient, &circle.practitioner, "léger")).await;
    r4.put(&light, &{
        let mut changed = sample::note(&circle.patient, &circle.practitioner, "changé");
        changed["id"] = json!(light.split('/').nth(1).unwrap());
        changed
    })
    .await
    .is(200);
    let mut of_2017 = stu3.get(&light).await.is(200).json();
    of_2017.as_object_mut().unwrap().remove("id");
    of_2017.as_object_mut().unwrap().remove("meta");
    of_2017["description"] = json!("Écrite en STU3");
    stu3.post("DocumentReference", &of_2017).await.is(201);
    let gone = sample::create(&r4, &sample::patient("p-9", "Arnaud", "Lucien")).await;
    r4.delete(&gone).await.is(200);
    let by_itself = r4.request("POST", "Binary").body("image/png", photo.clone()).send().await.is(201).id();
    let mut before = BTreeMap::new();
    for kind in ["Patient", "Practitioner", "PractitionerRole", "DocumentReference"] {
        before.insert(kind, (all(&r4, kind).await, all(&stu3, kind).await));
    }
    assert_eq!(before["DocumentReference"].0.len(), 3);
    let store = server.store();
    assert_eq!(server.stop().await.code(), Some(0));
    let out = folder.path().join("out");
    let exported = export(&store, &out);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    let binaries = lines(&out.join("Binary.ndjson"));
    assert_eq!(binaries.len(), 1, "the photo of the note stands in the note");
    assert_eq!(binaries[0]["id"], by_itself);
    assert!(!out.join("Patient.deleted.ndjson").exists());
    let copy = Store::new();
    // The manifest is among them; the notes come before the persons.
    let imported = import(&copy, &files(&out));
    assert_eq!(imported.status.code(), Some(0), "{}", said(&imported));
    let server = Server::on(copy).await;
    for (kind, (of_r4, of_stu3)) in before {
        assert_eq!(all(&server.r4(), kind).await, of_r4, "{kind}");
        assert_eq!(all(&server.stu3(), kind).await, of_stu3, "{kind}");
    }
    server.r4().get(&format!("Binary/{by_itself}")).await.is(200);
    server.r4().get(&gone).await.is(404);
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = written(folder.path(), 50, 3_000);
    let store = Store::new();
    // What making it takes is not taken for what is imported.
    assert_eq!(import(&store, &files[1..]).status.code(), Some(0));
    let mut words = vec!["import", "--store", store.url()];
    words.extend(files.iter().map(String::as_str));
    let mut killed = Command::new(binary()).args(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (made, began) = (store.bytes(), Instant::now());
    // Until something was written of what is imported.
    while store.bytes() < made + 3_000_000 {
        assert!(killed.try_wait().unwrap().is_none(), "it was over before it could be killed");
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is written");
        std::thread::sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let again = import(&store, &files);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    let counted = |word: &str| -> u64 {
        let text = said(&again);
        let (before, _) = text.split_once(word).unwrap_or_else(|| panic!("{word}: {text}"));
        before.rsplit([' ', ',', '\n']).find(|word| !word.is_empty()).unwrap().parse().unwrap()
    };
    assert_eq!(counted(" read"), 3_051);
    assert!(counted(" there already") > 51 && counted(" written") > 0, "{}", said(&again));
    assert_eq!(counted(" there already") + counted(" written"), 3_051);
    let server = Server::on(store.clone()).await;
    for (kind, count) in [("DocumentReference", 3_000), ("Patient", 50)] {
        let found = server.r4().get(&format!("{kind}?_summary=count&_total=accurate")).await.is(200).json();
        assert_eq!(found["total"], count, "{kind}");
    }
    let history = server.r4().get("DocumentReference/_history?_count=1").await.is(200).json();
    assert_eq!(history["total"], 3_000, "each once, in one version");
}

#[tokio::test]
async fn lines_that_are_wrong_are_named_and_the_others_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new();
    let files = written(folder.path(), 2, 4);
    let mut lines: Vec<String> = std::fs::read_to_string(&files[0]).unwrap().lines().map(str::to_owned).collect();
    lines.insert(1, "{\"resourceType\":".to_owned());
    lines.insert(2, String::new());
    let mut nobodys: Value = serde_json::from_str(&lines[0]).unwrap();
    nobodys["id"] = json!("n-x");
    nobodys["masterIdentifier"]["value"] = json!("n-x");
    nobodys["subject"]["reference"] = json!("Patient/nobody");
    lines.push(nobodys.to_string());
    let mut wrong: Value = serde_json::from_str(&lines[0]).unwrap();
    wrong["id"] = json!("n-y");
    wrong["status"] = json!("nonsense");
    lines.push(wrong.to_string());
    let mut doubled: Value = serde_json::from_str(&lines[0]).unwrap();
    doubled["id"] = json!("n-z");
    doubled["description"] = json!("autre");
    lines.push(doubled.to_string());
    lines.push(lines[0].clone());
    std::fs::write(&files[0], lines.join("\n")).unwrap();
    let imported = import(&store, &files);
    assert_eq!(imported.status.code(), Some(1));
    let told = said(&imported);
    assert!(told.contains("12 read, 7 written, 1 there already, 4 refused"), "{told}");
    for (line, word) in [(2, ""), (7, "Patient/nobody"), (8, "status"), (9, "masterIdentifier")] {
        let place = format!("notes.ndjson:{line}: ");
        let found = told.lines().find(|told| told.contains(&place)).unwrap_or_else(|| panic!("{place}{told}"));
        assert!(found.contains(word), "{found}");
    }
    let missing = import(&store, &["/nowhere/at.ndjson".to_owned()]);
    assert!(missing.status.code() == Some(1) && said(&missing).contains("/nowhere/at.ndjson"), "{}", said(&missing));
}

/// A person who is linked to others, as one is who was registered twice.
fn linked(id: &str, others: &[&str]) -> String {
    let mut person = sample::patient(id, "Morel", "Jeanne");
    person["id"] = json!(id);
    let link = |other: &&str| json!({ "other": { "reference": format!("Patient/{other}") }, "type": "seealso" });
    if !others.is_empty() {
        person["link"] = others.iter().map(link).collect();
    }
    person.to_string()
}

#[tokio::test]
async fn what_refers_to_one_another_is_brought_in_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new();
    // Far more than are written together lie between.
    let between = |from: usize| (from..from + 250).map(|at| linked(&format!("alone-{at}"), &[]));
    let mut first = vec![linked("a", &["b"]), linked("waits", &["x"])];
    first.extend(between(0));
    // One circle in two files, and one that needs what waits for the other.
    first.extend([linked("b", &["a"]), linked("x", &["y", "a"])]);
    let mut second = vec![linked("z", &["x", "waits-too"])];
    second.extend(between(250));
    second.extend([linked("y", &["z"]), linked("waits-too", &["b"])]);
    // In a circle too, but with somebody who is nowhere; and one whose other is refused.
    second.extend([linked("c", &["d"]), linked("d", &["c", "nobody"]), linked("e", &["f"])]);
    second.push(linked("f", &["e"]).replace("seealso", "nonsense"));
    let put = |name: &str, lines: Vec<String>| {
        let path = folder.path().join(name);
        std::fs::write(&path, lines.join("\n")).unwrap();
        path.display().to_string()
    };
    let files = [put("first.ndjson", first), put("second.ndjson", second)];
    let imported = import(&store, &files);
    let told = said(&imported);
    assert_eq!(imported.status.code(), Some(1), "{told}");
    assert!(told.contains("511 read, 507 written, 0 there already, 4 refused"), "{told}");
    let refused: Vec<&str> = told.lines().filter(|line| line.contains(".ndjson:")).collect();
    for (line, word) in [(254, "Patient/d"), (255, "Patient/"), (256, "Patient/f"), (257, "link[0].type")] {
        let place = format!("second.ndjson:{line}: ");
        assert!(refused.iter().any(|told| told.contains(&place) && told.contains(word)), "{place}{word}: {told}");
    }
    assert_eq!(refused.len(), 4, "nothing is told of what waited and was written: {told}");
    let server = Server::on(store).await;
    for id in ["a", "b", "x", "y", "z", "waits", "waits-too"] {
        server.r4().get(&format!("Patient/{id}")).await.is(200);
    }
    for id in ["c", "d", "e", "f"] {
        server.r4().get(&format!("Patient/{id}")).await.is(404);
    }
}

#[tokio::test]
async fn a_circle_that_is_too_large_is_refused_with_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new();
    let path = folder.path().join("circle.ndjson");
    let lines: Vec<String> =
        (0..600).map(|at| linked(&format!("p-{at}"), &[&format!("p-{}", (at + 1) % 600)])).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let imported = import(&store, &[path.display().to_string()]);
    let told = said(&imported);
    assert_eq!(imported.status.code(), Some(1), "{told}");
    assert!(
        told.contains("600 read, 0 written") && told.contains("600 lines") && told.contains("500 entries"),
        "{told}"
    );
}

#[tokio::test]
async fn what_comes_through_a_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new();
    let pipe = folder.path().join("pipe.ndjson");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut lines: Vec<String> = vec![linked("late", &["last"])];
    // More than are written at the same time.
    lines.extend((0..3_000).map(|at| linked(&format!("alone-{at}"), &[])));
    lines.push(linked("last", &[]));
    let (text, into) = (lines.join("\n"), pipe.clone());
    let writer = std::thread::spawn(move || std::fs::write(into, text).unwrap());
    let imported = import(&store, &[pipe.display().to_string()]);
    writer.join().unwrap();
    let told = said(&imported);
    assert!(told.contains("3002 read, 3001 written, 0 there already, 1 refused"), "{told}");
    assert!(told.contains("pipe.ndjson:1: ") && told.contains("give it as a file"), "{told}");
}

/// Runs it, and says how much memory it held at most, in bytes.
fn run_and_weigh(words: &[&str]) -> (Output, u64) {
    let child = Command::new(binary()).args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let weighed = std::thread::spawn(move || {
        let mut most = 0;
        while let Some(held) = most_held(&std::fs::read_to_string(&status).unwrap_or_default()) {
            most = held;
            std::thread::sleep(Duration::from_millis(2));
        }
        most
    });
    let output = child.wait_with_output().unwrap();
    (output, weighed.join().unwrap())
}

/// The most that was resident, of the text in `/proc`; nothing once the program has ended.
fn most_held(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Notes with 18 MB each, of bytes that are in no other.
fn heavy_notes(folder: &Path, count: usize) -> Vec<String> {
    let mut files = written(folder, 1, 0);
    let path = folder.join("notes.ndjson");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for at in 0..count {
        let bytes: Vec<u8> =
            (0..18_000_000_u32).map(|byte| (byte.wrapping_mul(2_654_435_761) >> 13) as u8 ^ at as u8).collect();
        let note = sample::note("Patient/p-0", "Practitioner/n", "x");
        let scan = sample::attachment("application/octet-stream", &bytes);
        let mut note = sample::named(sample::with(note, "/content/0/attachment", scan), &format!("n-{at}"));
        note["id"] = json!(format!("n-{at}"));
        writeln!(out, "{note}").unwrap();
    }
    out.flush().unwrap();
    files.sort();
    files
}

#[tokio::test]
async fn heavy_attachments_go_through_an_import_and_an_export_one_after_the_other() {
    // Under the bound of the project, 250 MB: with one needless copy of each it is above.
    const AT_MOST: u64 = 225_000_000;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new();
    let files = heavy_notes(folder.path(), 8);
    let mut words = vec!["import", "--store", store.url()];
    words.extend(files.iter().map(String::as_str));
    let (imported, held) = run_and_weigh(&words);
    assert!(imported.status.success(), "{}", said(&imported));
    eprintln!("import: {} MB", held / 1_000_000);
    assert!((10_000_000..AT_MOST).contains(&held), "the import held {held} bytes");
    let out = folder.path().join("out");
    let (exported, held) = run_and_weigh(&["export", "--store", store.url(), "--out", out.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", said(&exported));
    eprintln!("export: {} MB", held / 1_000_000);
    assert!((10_000_000..AT_MOST).contains(&held), "the export held {held} bytes");
    let sizes: Vec<usize> = std::fs::read_to_string(out.join("DocumentReference.ndjson"))
        .unwrap()
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["content"][0]["attachment"]["data"].as_str().unwrap().len()
        })
        .collect();
    assert_eq!(sizes, [24_000_000; 8], "all of them came out whole");
}

#[tokio::test]
async fn an_export_that_was_killed_goes_on_as_of_its_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new();
    let imported = import(&store, &written(folder.path(), 50, 4_000));
    assert_eq!(imported.status.code(), Some(0), "{}", said(&imported));
    let whole = folder.path().join("whole");
    assert_eq!(export(&store, &whole).status.code(), Some(0));
    let out = folder.path().join("out");
    let words = ["export", "--store", store.url(), "--out", out.to_str().unwrap()];
    let bytes = |folder: &Path| -> u64 {
        let there = if folder.exists() { files(folder) } else { Vec::new() };
        there.iter().filter_map(|name| std::fs::metadata(name).ok()).map(|about| about.len()).sum()
    };
    let all = bytes(&whole);
    let mut killed = 0;
    // Killed at places that wander through the whole of it: before it begins, at its first bytes, and on.
    for part in [0, 1, 100, 200, 300, 400, 500, 600, 700, 800, 900] {
        let mut child = Command::new(binary()).args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while bytes(&out) < all * part / 1_000 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        let there = if out.exists() { files(&out) } else { Vec::new() };
        for name in there.iter().filter(|name| name.ends_with(".ndjson")) {
            let (path, name) = (Path::new(name), Path::new(name).file_name().unwrap());
            assert_eq!(
                std::fs::read(path).unwrap(),
                std::fs::read(whole.join(name)).unwrap(),
                "a half file has a name"
            );
        }
    }
    assert!(killed > 1, "it was never broken off");
    assert!(export(&store, &out).status.success(), "it goes on to its end");
    assert!(
        files(&out).iter().all(|name| name.ends_with(".ndjson") || name.ends_with("/manifest.json")),
        "{:?}",
        files(&out)
    );
    let names = |folder: &Path| {
        files(folder).iter().map(|name| Path::new(name).file_name().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&out), names(&whole));
    for name in names(&whole).iter().filter(|name| **name != "manifest.json") {
        assert_eq!(std::fs::read(out.join(name)).unwrap(), std::fs::read(whole.join(name)).unwrap(), "{name:?}");
    }
    assert_eq!(lines(&out.join("DocumentReference.ndjson")).len(), 4_000);
    let again = export(&store, &out);
    assert!(again.status.success() && said(&again).contains("whole"), "{}", said(&again));
    let other =
        run(&["export", "--store", store.url(), "--out", out.to_str().unwrap(), "--since", "2020-01-01T00:00:00Z"]);
    assert_eq!(other.status.code(), Some(1), "{}", said(&other));
}

#[tokio::test]
async fn what_changed_since_is_told_with_what_was_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new();
    assert_eq!(import(&store, &written(folder.path(), 3, 6)).status.code(), Some(0));
    let whole = folder.path().join("whole");
    assert_eq!(export(&store, &whole).status.code(), Some(0));
    let second = Store::new();
    assert_eq!(import(&second, &files(&whole)).status.code(), Some(0));
    let manifest: Value = serde_json::from_slice(&std::fs::read(whole.join("manifest.json")).unwrap()).unwrap();
    let server = Server::on(store.clone()).await;
    server.r4().delete("DocumentReference/n-1").await.is(200);
    server.r4().delete("Patient/p-0").await.is(409);
    let fresh = sample::create(&server.r4(), &sample::note("Patient/p-2", "Practitioner/n", "nouvelle")).await;
    assert_eq!(server.stop().await.code(), Some(0));
    let since = folder.path().join("since");
    let at = manifest["transactionTime"].as_str().unwrap();
    let told = run(&["export", "--store", store.url(), "--out", since.to_str().unwrap(), "--since", at]);
    assert_eq!(told.status.code(), Some(0), "{}", said(&told));
    let deleted = lines(&since.join("DocumentReference.deleted.ndjson"));
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0]["type"], "transaction");
    assert_eq!(deleted[0]["entry"][0]["request"], json!({ "method": "DELETE", "url": "DocumentReference/n-1" }));
    let notes = lines(&since.join("DocumentReference.ndjson"));
    assert!(notes.iter().any(|note| fresh.ends_with(note["id"].as_str().unwrap())), "{notes:?}");
    assert!(!since.join("Practitioner.ndjson").exists(), "nothing of them has changed");
    let brought = import(&second, &files(&since));
    assert_eq!(brought.status.code(), Some(0), "{}", said(&brought));
    assert!(said(&brought).contains("1 deleted"), "{}", said(&brought));
    let server = Server::on(second).await;
    server.r4().get("DocumentReference/n-1").await.is(410);
    server.r4().get(&fresh).await.is(200);
}
