use aws_sdk_dynamodb::{
    Client,
    operation::{get_item::GetItemOutput, update_item::UpdateItemOutput},
    types::AttributeValue,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::graph::Position;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    row::{self, Row, parse, sortable},
    *,
};
use crate::{
    attribute::{Attributes, number, text},
    testing::{malformed, update_condition_failed, value},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn table(rule: &Rule) -> CheckpointTable {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [rule]);
    CheckpointTable::new(client, "checkpoint".to_owned(), "main".to_owned())
}

fn lease() -> Lease {
    Lease { owner: "me".to_owned(), epoch: 7 }
}

fn stored_row(attributes: &[(&str, AttributeValue)]) -> Attributes {
    let key = [("stream", text("main")), ("owner", text("me")), ("epoch", number(7))];
    let all = key.iter().chain(attributes);
    all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn stored_position() -> (&'static str, AttributeValue) {
    ("position", text("00000000000000000012/00000000000000000003"))
}

fn committed_at(commit_num: u64, op_num: u64) -> (&'static str, AttributeValue) {
    ("committed", text(row::committed(Position::new(commit_num, op_num), 77)))
}

fn condition_failed() -> Rule {
    mock!(Client::update_item).then_error(update_condition_failed)
}

fn stored(item: Option<Attributes>) -> Rule {
    mock!(Client::get_item)
        .match_requests(|request| request.consistent_read() == Some(true))
        .then_output(move || GetItemOutput::builder().set_item(item.clone()).build())
}

#[tokio::test]
async fn free_lease_is_acquired_with_its_position() {
    let free = mock!(Client::update_item)
        .match_requests(|request| {
            let values = request.expression_attribute_values();
            request.condition_expression()
                == Some("attribute_not_exists(#owner) OR expires_at <= :now OR #owner = :owner")
                && value(values, ":now") == Some("0")
                && value(values, ":expires_at") == Some("5000")
        })
        .then_output(|| {
            let row = stored_row(&[stored_position(), committed_at(12, 3), ("generation", number(2))]);
            UpdateItemOutput::builder().set_attributes(Some(row)).build()
        });
    let acquired = table(&free).acquire("me", NOW, Timestamp::constant(5, 0)).await.expect("a result");
    let checkpoint = Some(Checkpoint { position: Position::new(12, 3), committed_at_ms: Some(77) });
    let expected = AcquiredLease { lease: lease(), checkpoint, generation: 2, is_stopped_by_reset: false };
    assert_eq!(acquired, Some(expected));
}

#[test]
fn commit_time_belongs_to_its_position() {
    let read = |attributes: &[_]| Row::read(Some(stored_row(attributes))).expect("a row");
    let time = |attributes: &[_]| read(attributes).checkpoint().expect("a checkpoint").map(|at| at.committed_at_ms);
    assert_eq!(time(&[stored_position(), committed_at(12, 3)]), Some(Some(77)));
    // Another position was written by a version without commit times.
    assert_eq!(time(&[stored_position(), committed_at(12, 2)]), Some(None));
    assert_eq!(time(&[stored_position()]), Some(None));
    assert_eq!(time(&[committed_at(12, 3)]), None);
    assert!(!read(&[stored_position()]).is_stopped_by_reset());
    assert!(read(&[stored_position(), ("stopped", text("reset"))]).is_stopped_by_reset());
}

#[tokio::test]
async fn reset_is_stored_and_resolved_by_the_holder_only() {
    let mark = mock!(Client::update_item)
        .match_requests(|request| {
            request.update_expression() == Some("SET stopped = :reset")
                // Not on the position: a generation may have none yet.
                && request.condition_expression() == Some("#owner = :owner AND epoch = :epoch AND attribute_exists(#owner)")
                && request.expression_attribute_names().is_some_and(|names| names.len() == 1)
        })
        .then_output(|| UpdateItemOutput::builder().build());
    table(&mark).mark_reset(&lease()).await.expect("stored");
    let generation = mock!(Client::update_item)
        .match_requests(|request| {
            request.update_expression() == Some("SET generation = :generation REMOVE #position, committed, stopped")
        })
        .then_output(|| UpdateItemOutput::builder().build());
    assert_eq!(table(&generation).start_generation(&lease(), 1).await.expect("a result"), Some(2));
    table(&condition_failed()).mark_reset(&lease()).await.expect("no error");
    table(&condition_failed()).clear_reset(&lease()).await.expect("no error");
}

#[tokio::test]
async fn held_lease_is_not_acquired() {
    assert_eq!(table(&condition_failed()).acquire("me", NOW, NOW).await.expect("a result"), None);
}

#[tokio::test]
async fn handover_request_for_a_free_lease_does_nothing() {
    table(&condition_failed()).request_handover("me", NOW).await.expect("no error");
}

#[tokio::test]
async fn checkpoint_moves_forward_only_for_its_holder() {
    let moved = mock!(Client::update_item)
        .match_requests(|request| {
            let values = request.expression_attribute_values();
            request.condition_expression()
                == Some(
                    "#owner = :owner AND epoch = :epoch \
                     AND (attribute_not_exists(#position) OR #position <= :position)",
                )
                && value(values, ":owner") == Some("me")
                && value(values, ":epoch") == Some("7")
                && value(values, ":position") == Some("18446744073709551615/00000000000000000001")
                && value(values, ":committed") == Some("18446744073709551615/00000000000000000001@-5")
        })
        .then_output(|| UpdateItemOutput::builder().set_attributes(Some(stored_row(&[]))).build());
    let to = Checkpoint { position: Position::new(u64::MAX, 1), committed_at_ms: Some(-5) };
    assert_eq!(table(&moved).advance(&lease(), to, NOW).await.expect("a result"), LeaseStatus::Held);
    let status = table(&condition_failed()).advance(&lease(), to, NOW).await;
    assert_eq!(status.expect("a result"), LeaseStatus::Lost);
}

#[tokio::test]
async fn lost_lease_is_not_released_and_starts_no_generation() {
    table(&condition_failed()).release(&lease()).await.expect("no error");
    assert_eq!(table(&condition_failed()).start_generation(&lease(), 1).await.expect("a result"), None);
}

#[tokio::test]
async fn lease_status_follows_owner_epoch_and_handover_request() {
    let requested = [("successor", text("you")), ("asks_until", number(1000))];
    let acquired_by_another = [("owner", text("you")), ("epoch", number(8))];
    let acquired_by_same_owner = [("epoch", number(8))];
    for (attributes, now, expected) in [
        (&[][..], NOW, LeaseStatus::Held),
        (&requested[..], NOW, LeaseStatus::HandoverRequested),
        (&requested[..], Timestamp::constant(1, 0), LeaseStatus::Held),
        (&acquired_by_another[..], NOW, LeaseStatus::Lost),
        (&acquired_by_same_owner[..], NOW, LeaseStatus::Lost),
    ] {
        let status = table(&stored(Some(stored_row(attributes)))).lease_status(&lease(), now).await;
        assert_eq!(status.expect("a status"), expected, "{attributes:?}");
    }
}

#[tokio::test]
async fn status_shows_position_and_holder() {
    let mut item = stored_row(&[stored_position(), ("taken_at", number(1000)), ("expires_at", number(5000))]);
    let held = table(&stored(Some(item.clone()))).status().await.expect("a status").expect("a row");
    let second = |second| Timestamp::constant(second, 0);
    let holder = Holder { lease: lease(), taken_at: Some(second(1)), expires_at: second(5) };
    let expected = CheckpointStatus {
        position: Some(Position::new(12, 3)),
        generation: 0,
        is_stopped_by_reset: false,
        holder: Some(holder),
    };
    assert_eq!(held, expected);
    for name in ["owner", "taken_at", "expires_at"] {
        item.remove(name);
    }
    let free = table(&stored(Some(item))).status().await.expect("a status").expect("a row");
    assert_eq!(free, CheckpointStatus { holder: None, ..expected });
}

#[tokio::test]
async fn missing_row_is_a_lost_lease() {
    let missing = stored(None);
    assert_eq!(table(&missing).lease_status(&lease(), NOW).await.expect("a status"), LeaseStatus::Lost);
    assert_eq!(table(&missing).progress().await.expect("a progress"), Progress::default());
    assert_eq!(table(&missing).status().await.expect("a status"), None);
}

#[test]
fn texts_of_positions_sort_like_positions() {
    let positions = [(1, 9), (2, 1), (2, 10), (10, 1), (u64::MAX, u64::MAX)].map(|(c, o)| Position::new(c, o));
    let texts = positions.map(sortable);
    assert!(texts.is_sorted(), "{texts:?}");
    for (position, text) in positions.into_iter().zip(&texts) {
        assert_eq!(parse(text).expect("a position"), position);
    }
    assert!(parse("12").is_err());
}

proptest! {
    #[test]
    fn malformed_row_is_read_or_a_bug(row in malformed(stored_row(&[
        stored_position(),
        committed_at(12, 3),
        ("stopped", text("reset")),
        ("generation", number(1)),
        ("taken_at", number(1)),
        ("expires_at", number(9)),
        ("successor", text("you")),
        ("asks_until", number(2)),
    ]))) {
        if let Err(failure) = Row::read(Some(row)).and_then(|row| {
            let _ = row.lease_status(&lease(), NOW);
            row.checkpoint()?;
            row.status()
        }) {
            prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
        }
    }
}
