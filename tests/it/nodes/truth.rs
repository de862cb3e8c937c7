//! What was written through one node is read through the others at once.

use futures_util::future::join_all;
use liaison_tests::{Launch, Nodes, Server, Store, sample};
use serde_json::json;

use super::{feed_has_no_gap, total, versions, whole_history};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_begin_together_on_an_empty_database_make_one_store() {
    let alone = Server::on(Store::in_a_database()).await;
    let definitions = "_history?_count=0";
    let expected = total(&alone.r4(), definitions).await;
    let store = Store::in_a_database();
    let nodes = Nodes::start(&Launch::on(store.clone()), 6).await;
    for number in 0..nodes.many() {
        assert_eq!(total(&nodes.r4(number), definitions).await, expected, "node {number}");
        assert_eq!(nodes.server(number).site().get("readyz").await.is(200).text(), "ready\n");
    }
    feed_has_no_gap(&store);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_read_at_once_through_the_other_nodes() {
    let nodes = Nodes::three().await;
    let circle = sample::circle(&nodes.r4(0)).await;
    let one = async |writer: usize| {
        for turn in 0..10 {
            let value = format!("n-{writer}-{turn}");
            let (mine, other, third) =
                (nodes.r4(writer + turn), nodes.r4(writer + turn + 1), nodes.r4(writer + turn + 2));
            let note = sample::named(sample::note(&circle.patient, &circle.practitioner, "x"), &value);
            let name = sample::create(&mine, &note).await;
            let by_name = format!("DocumentReference?identifier={}|{value}", sample::LOCAL);
            for r4 in [&other, &third] {
                assert_eq!(r4.get(&name).await.is(200).header("etag"), "W/\"1\"");
                assert_eq!(r4.get(&by_name).await.is(200).matches().len(), 1);
            }
            // A node that has just read one version gives the next one as soon as it is there.
            let changed = sample::with(other.get(&name).await.is(200).json(), "/description", "changed");
            other.put(&name, &changed).await.is(200);
            for r4 in [&third, &mine] {
                let now = r4.get(&name).await.is(200);
                assert_eq!((now.header("etag"), &now.json()["description"]), ("W/\"2\"", &json!("changed")));
                assert_eq!(r4.get(&by_name).await.matches()[0]["description"], "changed");
                r4.request("GET", &name).header("if-none-match", "W/\"1\"").send().await.is(200);
            }
            third.delete(&name).await.is(200);
            for r4 in [&mine, &other] {
                r4.get(&name).await.is(410);
                assert_eq!(r4.get(&by_name).await.is(200).matches().len(), 0);
                assert_eq!(total(r4, &format!("{name}/_history")).await, 3);
            }
        }
    };
    join_all((0..6).map(one)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_reference_names_may_have_come_through_another_node() {
    let nodes = Nodes::three().await;
    join_all((0..12).map(async |at| {
        let person = sample::create(&nodes.r4(at), &sample::patient(&format!("p-{at}"), "Morel", "Jeanne")).await;
        let author = sample::create(&nodes.r4(at + 1), &sample::practitioner(&format!("a-{at}"), "Noël", "Luc")).await;
        let note = sample::create(&nodes.r4(at + 2), &sample::note(&person, &author, "x")).await;
        let chain = format!("DocumentReference?subject:Patient.identifier={}|p-{at}", sample::LOCAL);
        let found = nodes.r4(at).get(&chain).await.is(200).matches();
        assert_eq!(format!("DocumentReference/{}", found[0]["id"].as_str().unwrap()), note);
        // Who is referred to is not deleted, whichever node is asked.
        assert_eq!(nodes.r4(at).delete(&person).await.status, 409);
        nodes.r4(at + 1).delete(&note).await.is(200);
        nodes.r4(at).delete(&person).await.is(200);
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_and_attachments_are_of_all_nodes() {
    let nodes = Nodes::three().await;
    for turn in 0..6_usize {
        let url = format!("https://logiciel.example/CodeSystem/{turn}");
        let system = json!({
            "resourceType": "CodeSystem", "url": url, "status": "active", "content": "complete",
            "concept": [{ "code": "a", "display": "Avant" }]
        });
        let lookup = format!("CodeSystem/$lookup?system={url}&code=a");
        assert_ne!(nodes.r4(turn + 1).get(&lookup).await.status, 200, "nobody knows it yet");
        let name = sample::create(&nodes.r4(turn), &system).await;
        let display = async |number: usize| {
            let said = nodes.r4(number).get(&lookup).await.is(200).json();
            let parts = said["parameter"].as_array().expect("parameters").clone();
            parts.iter().find(|part| part["name"] == "display").expect("a display")["valueString"].clone()
        };
        assert_eq!(display(turn + 1).await, "Avant");
        let system = nodes.r4(turn + 1).get(&name).await.is(200).json();
        let system = sample::with(system, "/concept/0/display", "Après");
        nodes.r4(turn + 2).put(&name, &system).await.is(200);
        for number in 0..3 {
            assert_eq!(display(number).await, "Après", "node {number}");
        }
        let bytes = liaison_tests::ledger::bytes_of(&url, 300_000);
        let upload = nodes.r4(turn).request("POST", "Binary").body("image/png", bytes.clone()).send().await.is(201);
        let photo = nodes.r4(turn + 1).request("GET", &format!("Binary/{}", upload.id()));
        assert_eq!(photo.header("accept", "image/png").send().await.is(200).body, bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn history_and_feed_have_every_version_once() {
    let nodes = Nodes::three().await;
    let circle = sample::circle(&nodes.r4(0)).await;
    let before = total(&nodes.r4(0), "_history?_count=0").await;
    let names = join_all((0..24).map(async |writer: usize| {
        let note = sample::note(&circle.patient, &circle.practitioner, "x");
        let name = sample::create(&nodes.r4(writer), &note).await;
        let person = sample::create(&nodes.r4(writer), &sample::patient(&format!("w-{writer}"), "Un", "Anne")).await;
        for turn in 0..8 {
            for name in [&name, &person] {
                let r4 = nodes.r4(writer + turn);
                let now = r4.get(name).await.is(200).json();
                r4.put(name, &sample::with(now, "/language", if turn % 2 == 0 { "fr" } else { "en" })).await.is(200);
            }
        }
        [name, person]
    }))
    .await;
    let history = whole_history(&nodes, "_history?_count=100").await;
    assert_eq!(history.len() as u64, before + 24 * 2 * 9);
    assert_eq!(total(&nodes.r4(1), "_history?_count=0").await, before + 24 * 2 * 9);
    let versions = versions(&history);
    for name in names.iter().flatten() {
        assert_eq!(versions[name], (1..=9).rev().collect::<Vec<u64>>(), "{name}");
    }
    let instants: Vec<&str> = history.iter().filter_map(|entry| entry["response"]["lastModified"].as_str()).collect();
    assert_eq!(instants.len(), history.len());
    assert!(instants.is_sorted_by(|one, next| one >= next), "newest first, of all nodes");
    feed_has_no_gap(&nodes.server(0).store());
}
