//! An erasure: its steps, repetitions and progress.

use domain::account::{ERASURE_STEPS, Erasure, ErasureStep};
use function_kit::failure::Kind;
use jiff::SignedDuration;
use serde_json::json;

use super::{InMemory, send};
use crate::{erasure::consume, ports::Ports};

/// The calls that erase something.
fn erasing(ports: &InMemory) -> Vec<&'static str> {
    let mut calls = ports.calls.borrow().clone();
    calls.retain(|call| !call.starts_with("enqueue"));
    calls.dedup();
    calls
}

const WHOLE: [&str; 19] = [
    "lock",
    "announce",
    "originals",
    "exports",
    "devices",
    "push",
    "read mark",
    "quotas",
    "reports",
    "quotas",
    "reports",
    "originals",
    "exports",
    "devices",
    "push",
    "read mark",
    "quotas",
    "reports",
    "delete user",
];

#[tokio::test]
async fn erasure_runs_to_its_end_and_shows_its_progress() {
    let ports = InMemory::new();
    assert_eq!(send(&ports, "GET /v1/me/erasure").await.0, 404);
    let (status, body) = send(&ports, "DELETE /v1/me").await;
    assert_eq!((status, &body["state"], &body["stepsDone"]), (202, &json!("running"), &json!(0)));
    let before = ports.now();
    ports.run().await;
    assert_eq!(erasing(&ports), WHOLE);
    assert!(ports.now().duration_since(before) >= ports.wait(), "tokens have expired");
    let (status, body) = send(&ports, "GET /v1/me/erasure").await;
    assert_eq!((status, &body["state"], &body["stepsDone"]), (200, &json!("finished"), &json!(ERASURE_STEPS)));
    // Its access token may still be valid.
    assert_eq!(send(&ports, "DELETE /v1/me").await.0, 202);
    assert!(ports.queue.borrow().is_empty());
}

#[tokio::test]
async fn failed_step_is_repeated_and_none_is_left_out() {
    for step in [
        "lock",
        "announce",
        "originals",
        "exports",
        "devices",
        "push",
        "read mark",
        "quotas",
        "reports",
        "enqueue",
        "enqueue later",
        "delete user",
    ] {
        let ports = InMemory::new();
        send(&ports, "DELETE /v1/me").await;
        ports.fails.set(Some(step));
        ports.run().await;
        assert_eq!(ports.fails.get(), None, "{step} was not called");
        let calls = erasing(&ports);
        let mut rest = calls.iter();
        assert!(WHOLE.iter().all(|expected| rest.any(|call| call == expected)), "{step}: {calls:?}");
        assert_eq!(calls.last(), Some(&"delete user"));
    }
}

#[tokio::test]
async fn repeated_request_repeats_the_message_with_the_first_time() {
    let ports = InMemory::new();
    send(&ports, "DELETE /v1/me").await;
    ports.now.set(ports.now() + SignedDuration::from_mins(5));
    send(&ports, "DELETE /v1/me").await;
    let queue = ports.queue.borrow().clone();
    assert_eq!(queue.len(), 2);
    assert_eq!(queue[0], queue[1]);
}

#[tokio::test]
async fn erasure_without_push_has_no_devices_step() {
    let ports = InMemory { has_devices: false, ..InMemory::new() };
    send(&ports, "DELETE /v1/me").await;
    ports.run().await;
    assert!(!erasing(&ports).contains(&"devices"));
    assert_eq!(erasing(&ports).last(), Some(&"delete user"));
}

#[tokio::test]
async fn originals_that_do_not_become_fewer_are_a_bug() {
    let ports = InMemory::new();
    ports.originals.set(u32::MAX);
    let mut erasure = Erasure::start("mina", "m", ports.now());
    while erasure.step() != Some(ErasureStep::Originals) {
        erasure = erasure.after_step();
    }
    let mut turns = 0;
    let failure = loop {
        match consume(&ports, &serde_json::to_string(&erasure).expect("JSON")).await {
            Ok(()) => erasure = ports.queue.borrow_mut().pop().expect("the same step again"),
            Err(failure) => break failure,
        }
        turns += 1;
        assert!(turns <= 10_000, "no bound");
    };
    assert_eq!(failure.kind, Kind::Bug);
}

#[tokio::test]
async fn unreadable_message_is_a_bug() {
    let ports = InMemory::new();
    for body in ["", "{}", r#"{"type":"app.iyagi.account.erasure"}"#] {
        assert_eq!(consume(&ports, body).await.expect_err("a failure").kind, Kind::Bug, "{body}");
    }
}
