use domain::graph::Position;
use jiff::Timestamp;
use store::checkpoint::{Checkpoint, CheckpointTable, Lease, LeaseStatus};

use super::{client, gets, row, updates};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn table(rules: &[&aws_smithy_mocks::Rule]) -> CheckpointTable {
    CheckpointTable::new(client(rules), "checkpoint".to_owned(), "main".to_owned())
}

/// A checkpoint of a version that stored no commit time.
fn unknown_time(position: Position) -> Checkpoint {
    Checkpoint { position, committed_at_ms: None }
}

#[tokio::test]
async fn checkpoint_of_previous_version_is_read_and_written_unchanged() {
    let stored = row("checkpoint/held");
    let seen = table(&[&gets(&stored)]).status().await.expect("a result").expect("a row");
    let holder = seen.holder.expect("a holder");
    assert_eq!(holder.lease, Lease { owner: "request-1".to_owned(), epoch: 7 });
    assert_eq!(
        (holder.taken_at, holder.expires_at),
        (Some(time("2026-11-22T00:00:01Z")), time("2026-11-22T00:01:01Z"))
    );
    assert_eq!((seen.position, seen.generation), (Some(Position::new(12, 3)), 0));
    let moves = updates(":position", stored["position"].clone(), &stored);
    let moved = table(&[&moves]).advance(&holder.lease, unknown_time(Position::new(12, 3)), holder.expires_at).await;
    assert_eq!(moved.expect("a result"), LeaseStatus::Held);
}

#[tokio::test]
async fn handover_request_of_previous_version_is_seen_until_it_expires() {
    let table = table(&[&gets(&row("checkpoint/asked_for_in_a_new_generation"))]);
    let lease = Lease { owner: "request-1".to_owned(), epoch: 7 };
    let before = table.lease_status(&lease, time("2026-11-22T00:01:00Z")).await.expect("a result");
    let after = table.lease_status(&lease, time("2026-11-22T00:01:01Z")).await.expect("a result");
    assert_eq!((before, after), (LeaseStatus::HandoverRequested, LeaseStatus::Held));
}

#[tokio::test]
async fn free_checkpoint_of_previous_version_is_acquired_with_its_position() {
    let free = row("checkpoint/free");
    let (now, until) = (time("2026-11-22T00:00:01Z"), time("2026-11-22T00:01:01Z"));
    let takes = updates(":owner", aws_sdk_dynamodb::types::AttributeValue::S("request-9".to_owned()), &free);
    let acquired = table(&[&takes]).acquire("request-9", now, until).await.expect("a result").expect("a lease");
    let checkpoint = Some(unknown_time(Position::new(u64::MAX, 1)));
    assert_eq!((acquired.checkpoint, acquired.generation), (checkpoint, 2));
    assert!(!acquired.is_stopped_by_reset);
    assert_eq!(acquired.lease.epoch, 7);
}
