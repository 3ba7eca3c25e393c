use std::collections::BTreeMap;

use domain::{
    export::{ExportJob, StoredState},
    media::MediaId,
};
use function_kit::failure::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    in_memory::{Fault, InMemory, SIZES},
    unzip::entries,
};
use crate::{export::consume, stores::STORES};

fn job() -> ExportJob {
    ExportJob { user: "mina".into(), username: "m".into(), id: "e1".into(), turn: 0 }
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|index| u8::try_from(index % 251).unwrap_or_default()).collect()
}

/// Files of all kinds and sizes, of two persons.
fn originals() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("audio/mina/a", content(3_000)),
        ("avatar/mina/a", content(10)),
        ("photo/jun/a", content(5)),
        ("photo/mina/a", content(0)),
        ("photo/mina/b", content(300)),
        ("photo/mina/c", content(301)),
        ("photo/mina/d", content(1)),
        ("photo/mina/e", content(899)),
    ]
}

fn rows() -> BTreeMap<usize, Vec<Value>> {
    let row = |number: usize| json!({"number": number});
    BTreeMap::from([(0, (0..5).map(row).collect()), (3, vec![row(1)]), (STORES.len() - 1, (0..2).map(row).collect())])
}

/// Consumes messages until the queue is empty. A failed message is delivered again.
async fn run(world: &InMemory) {
    let mut pending = Some(job());
    for _ in 0..5_000 {
        let Some(job) = pending.take().or_else(|| world.queue.borrow_mut().pop_front()) else { return };
        if consume(world, SIZES, &serde_json::to_string(&job).expect("JSON")).await.is_err() {
            pending = Some(job);
        }
    }
    panic!("the export does not end");
}

fn assert_whole(world: &InMemory) {
    let row = world.row.borrow().clone().expect("a row");
    assert_eq!((row.state, row.files), (StoredState::Ready, Some(7)));
    assert!(row.notified && world.announced.borrow().contains("e1"));
    let objects = world.objects.borrow();
    let zip = &objects["zip/mina/o1.zip"];
    assert_eq!(row.size, Some(zip.len() as u64));
    let mut entries = entries(zip);
    let document: Value = serde_json::from_slice(&entries.remove("data.json").expect("a document")).expect("JSON");
    assert_eq!(document["account"], json!({"id": "mina", "profile": {"username": "m"}}));
    for (number, store) in STORES.iter().enumerate() {
        assert_eq!(document[store.name], json!(rows().remove(&number).unwrap_or_default()), "{}", store.name);
    }
    let expected: BTreeMap<_, _> = originals()
        .into_iter()
        .filter(|(key, _)| key.contains("/mina/"))
        .map(|(key, content)| {
            let kind = key.split('/').next().expect("a kind");
            (format!("originals/{kind}/{}/고양이.jpg", MediaId::of_key(key)), content)
        })
        .collect();
    assert_eq!(entries, expected);
}

#[tokio::test]
async fn copy_has_the_document_and_all_originals_of_the_person() {
    let world = InMemory::new(&originals(), rows());
    run(&world).await;
    assert_whole(&world);
    assert!(world.uploads.borrow().is_empty());
}

#[tokio::test]
async fn copy_in_turns_of_any_length_is_whole() {
    for steps_per_turn in 1..40 {
        let world = InMemory { steps_per_turn, ..InMemory::new(&originals(), rows()) };
        run(&world).await;
        assert_whole(&world);
        let left: Vec<_> = world.objects.borrow().keys().filter(|name| name.contains("rest-")).cloned().collect();
        assert_eq!(left, Vec::<String>::new(), "{steps_per_turn}");
    }
}

#[tokio::test]
async fn failure_of_any_call_leaves_a_whole_copy() {
    for steps_per_turn in [1, 3, 7, usize::MAX] {
        let world = InMemory { steps_per_turn, ..InMemory::new(&originals(), rows()) };
        run(&world).await;
        let calls = world.calls.get();
        assert!(calls > 40);
        for number in 0..calls {
            for fault in [Fault::Before, Fault::After] {
                let world = InMemory { steps_per_turn, ..InMemory::new(&originals(), rows()) };
                world.fails_at.set(Some((number, fault)));
                run(&world).await;
                assert_eq!(world.fails_at.get(), None, "call {number} was not reached");
                assert_whole(&world);
            }
        }
    }
}

#[tokio::test]
async fn repeated_message_changes_nothing_after_the_end() {
    let world = InMemory::new(&originals(), rows());
    run(&world).await;
    let (row, objects) = (world.row.borrow().clone(), world.objects.borrow().clone());
    world.announced.borrow_mut().clear();
    run(&world).await;
    assert_eq!((&*world.row.borrow(), &*world.objects.borrow()), (&row, &objects));
    assert!(world.announced.borrow().is_empty());
}

#[tokio::test]
async fn repeated_messages_within_turns_leave_a_whole_copy() {
    let world = InMemory { steps_per_turn: 2, ..InMemory::new(&originals(), rows()) };
    for _ in 0..3 {
        world.queue.borrow_mut().push_back(job());
    }
    run(&world).await;
    assert_whole(&world);
}

#[tokio::test]
async fn export_that_is_deleted_at_any_time_stops_and_leaves_nothing() {
    for steps in 1..60 {
        let world = InMemory { steps_per_turn: 1, ..InMemory::new(&originals(), rows()) };
        let mut next = Some(job());
        for _ in 0..steps {
            let Some(job) = next.take() else { break };
            consume(&world, SIZES, &serde_json::to_string(&job).expect("JSON")).await.expect("a turn");
            next = world.queue.borrow_mut().pop_front();
        }
        // The erasure: first the row, then everything that is stored.
        *world.row.borrow_mut() = None;
        world.objects.borrow_mut().clear();
        world.uploads.borrow_mut().clear();
        if let Some(job) = next {
            consume(&world, SIZES, &serde_json::to_string(&job).expect("JSON")).await.expect("a turn");
        }
        assert!(
            world.queue.borrow().is_empty() && world.objects.borrow().is_empty() && world.uploads.borrow().is_empty()
        );
    }
}

#[tokio::test]
async fn turn_that_loses_its_export_deletes_what_it_stored() {
    for steps_per_turn in [1, 3, 20, usize::MAX] {
        let world = InMemory { steps_per_turn, ..InMemory::new(&originals(), rows()) };
        world.loses_row.set(true);
        consume(&world, SIZES, &serde_json::to_string(&job()).expect("JSON")).await.expect("a turn");
        assert!(world.row.borrow().is_none());
        assert!(world.uploads.borrow().is_empty() && world.objects.borrow().is_empty());
        assert!(world.queue.borrow().is_empty());
    }
}

#[tokio::test]
async fn file_of_an_export_that_is_lost_at_the_end_is_deleted() {
    let world = InMemory::new(&originals(), rows());
    world.loses_row_at_end.set(true);
    run(&world).await;
    assert!(!world.objects.borrow().contains_key("zip/mina/o1.zip"));
    assert!(world.announced.borrow().is_empty());
}

#[tokio::test]
async fn original_that_is_erased_in_the_middle_begins_the_copy_again_without_it() {
    let world = InMemory { steps_per_turn: 1, ..InMemory::new(&originals(), rows()) };
    let mut next = Some(job());
    while let Some(job) = next.take() {
        consume(&world, SIZES, &serde_json::to_string(&job).expect("JSON")).await.expect("a turn");
        let is_open = world
            .row
            .borrow()
            .as_ref()
            .and_then(|row| row.progress.clone())
            .is_some_and(|progress| progress.contains("photo/mina/e\",\"version"));
        if is_open {
            world.originals.borrow_mut().remove("photo/mina/e");
        }
        next = world.queue.borrow_mut().pop_front();
    }
    let row = world.row.borrow().clone().expect("a row");
    assert_eq!((row.state, row.files), (StoredState::Ready, Some(6)));
    assert_eq!(entries(&world.objects.borrow()["zip/mina/o1.zip"]).len(), 7);
}

#[tokio::test]
async fn upload_that_is_lost_again_and_again_fails_and_is_dead_lettered() {
    let world = InMemory { steps_per_turn: 5, ..InMemory::new(&originals(), rows()) };
    let (mut next, mut failure) = (Some(job()), None);
    while let Some(job) = next.take() {
        failure = consume(&world, SIZES, &serde_json::to_string(&job).expect("JSON")).await.err();
        world.uploads.borrow_mut().clear();
        next = world.queue.borrow_mut().pop_front();
    }
    assert_eq!(failure.expect("a failure").kind, Kind::Bug);
    assert_eq!(world.row.borrow().as_ref().map(|row| row.state), Some(StoredState::Failed));
}

#[tokio::test]
async fn unreadable_message_is_a_bug() {
    let world = InMemory::new(&[], BTreeMap::new());
    for body in ["", "{}", r#"{"type":"app.iyagi.account.export"}"#] {
        assert_eq!(consume(&world, SIZES, body).await.expect_err("a failure").kind, Kind::Bug, "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn copy_of_any_files_is_whole(
        sizes in prop::collection::vec(0..2_000_usize, 0..12), steps_per_turn in 1..12_usize,
    ) {
        let keys: Vec<_> = (0..sizes.len()).map(|number| format!("photo/mina/{number:02}")).collect();
        let originals: Vec<_> = keys.iter().zip(&sizes).map(|(key, size)| (key.as_str(), content(*size))).collect();
        let world = InMemory { steps_per_turn, ..InMemory::new(&originals, rows()) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(run(&world));
        let entries = entries(&world.objects.borrow()["zip/mina/o1.zip"]);
        prop_assert_eq!(entries.len(), sizes.len() + 1);
        for (key, content) in originals {
            let name = format!("originals/photo/{}/고양이.jpg", MediaId::of_key(key));
            prop_assert_eq!(&entries[&name], &content);
        }
    }
}
