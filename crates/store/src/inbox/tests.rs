use aws_sdk_dynamodb::{
    Client,
    operation::{
        batch_execute_statement::BatchExecuteStatementOutput,
        batch_get_item::BatchGetItemOutput,
        delete_item::DeleteItemOutput,
        get_item::GetItemOutput,
        put_item::PutItemOutput,
        query::QueryOutput,
        scan::ScanOutput,
        transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
        update_item::UpdateItemOutput,
    },
    types::{
        BatchStatementError, BatchStatementErrorCodeEnum, BatchStatementResponse, CancellationReason,
        error::TransactionCanceledException,
    },
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::push::{InboxEntry, InboxGroup};
use function_kit::failure::Kind;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::{row::group_key, *};
use crate::{
    attribute::{Attributes, text},
    testing::{self, event, malformed, now, put_condition_failed, update_condition_failed, value},
};

fn table(rules: &[&Rule]) -> InboxTable {
    InboxTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "inbox".to_owned())
}

fn marks(rules: &[&Rule]) -> ReadMarks {
    ReadMarks::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "inbox-read".to_owned())
}

fn holder() -> Holder {
    Holder { recipient: "mina".into(), rule: "like-story".into(), group: "like-story:s1".into() }
}

fn entry() -> InboxEntry {
    InboxEntry::of(&event(), "jun", now())
}

fn row() -> Attributes {
    let mut group = InboxGroup::default();
    group.add(entry());
    testing::row([
        ("pk", text("user#mina")),
        ("sk", text(group_key("like-story:s1"))),
        ("rule", text("like-story")),
        ("content", text(serde_json::to_string(&group).expect("JSON"))),
        ("updated_at", text("2026-11-22T00:00:00.000Z")),
        ("revision", text("r1")),
    ])
}

fn get() -> Rule {
    mock!(Client::get_item)
        .match_requests(|request| {
            request.consistent_read() == Some(true) && value(request.key(), "pk") == Some("user#mina")
        })
        .then_output(|| GetItemOutput::builder().set_item(Some(row())).build())
}

#[tokio::test]
async fn first_entry_is_stored_without_reading() {
    let put = mock!(Client::put_item)
        .match_requests(|request| {
            let expires_at = now().as_second() + 90 * 24 * 3600;
            request.condition_expression() == Some("attribute_not_exists(pk)")
                && value(request.item(), "sk") == Some("group#like-story:s1")
                && value(request.item(), "updated_at") == Some("2026-11-22T00:00:00.000Z")
                && value(request.item(), "expires_at") == Some(&expires_at.to_string())
        })
        .then_output(|| PutItemOutput::builder().build());
    assert!(table(&[&put]).add(&holder(), &entry()).await.expect("stored"));
}

#[tokio::test]
async fn entry_that_is_there_is_not_written_again() {
    let refused = mock!(Client::put_item).then_error(put_condition_failed);
    assert!(!table(&[&refused, &get()]).add(&holder(), &entry()).await.expect("read"));
}

#[tokio::test]
async fn first_entries_of_many_are_inserted_by_one_call_and_the_others_one_by_one() {
    use BatchStatementErrorCodeEnum::{DuplicateItem, ThrottlingError};
    let to = |recipient: &str| Holder { recipient: recipient.into(), ..holder() };
    let batch = mock!(Client::batch_execute_statement)
        .match_requests(|request| {
            let is_insert =
                |text: &str| text.starts_with("INSERT INTO \"inbox\" VALUE {'") && text.matches('?').count() == 7;
            let statements = request.statements();
            let users = ["mina", "jun", "sora"].map(|user| text(format!("user#{user}")));
            statements.iter().all(|statement| is_insert(statement.statement()))
                && statements.iter().zip(&users).all(|(statement, user)| statement.parameters().contains(user))
        })
        .then_output(|| {
            let response = |code: Option<BatchStatementErrorCodeEnum>| {
                let error = code.map(|code| BatchStatementError::builder().code(code).build());
                BatchStatementResponse::builder().set_error(error).build()
            };
            let responses = [None, Some(DuplicateItem), Some(ThrottlingError)].map(response);
            BatchExecuteStatementOutput::builder().set_responses(Some(responses.into())).build()
        });
    let read = mock!(Client::get_item)
        .match_requests(|request| value(request.key(), "pk") == Some("user#jun"))
        .then_output(|| GetItemOutput::builder().set_item(Some(row())).build());
    let put = mock!(Client::put_item)
        .match_requests(|request| value(request.item(), "pk") == Some("user#sora"))
        .then_output(|| PutItemOutput::builder().build());
    let table = table(&[&batch, &read, &put]);
    let added = table.add_all(&[to("mina"), to("jun"), to("sora")], &entry()).await;
    let added: Vec<_> = added.into_iter().map(|added| added.expect("a result")).collect();
    assert_eq!(added, [true, false, true], "jun has the entry already");
}

#[tokio::test]
async fn group_that_changes_meanwhile_is_read_again() {
    let refused = || {
        mock!(Client::put_item)
            .match_requests(|request| value(request.expression_attribute_values(), ":before") == Some("r1"))
            .then_error(put_condition_failed)
    };
    let first = mock!(Client::put_item).then_error(put_condition_failed);
    let stored = mock!(Client::put_item)
        .match_requests(|request| value(request.item(), "content").is_some_and(|content| content.contains("sora")))
        .then_output(|| PutItemOutput::builder().build());
    let other = InboxEntry { edge: "e2".into(), actor: "sora".into(), ..entry() };
    let table = table(&[&first, &get(), &refused(), &get(), &stored]);
    assert!(table.add(&holder(), &other).await.expect("stored"));
}

#[tokio::test]
async fn last_entry_takes_its_row_with_it() {
    let delete = mock!(Client::delete_item)
        .match_requests(|request| {
            request.condition_expression() == Some("revision = :before")
                && value(request.expression_attribute_values(), ":before") == Some("r1")
        })
        .then_output(|| DeleteItemOutput::builder().build());
    let event = event();
    let remove = |group: &mut InboxGroup| group.remove(&event.edge, event.position);
    assert!(table(&[&get(), &delete]).change("mina", "like-story", "like-story:s1", remove).await.expect("removed"));
    let none = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
    assert!(!table(&[&none]).change("mina", "like-story", "like-story:s1", remove).await.expect("nothing"));
}

#[tokio::test]
async fn page_is_read_by_time_and_names_the_start_of_the_next() {
    let query = mock!(Client::query)
        .match_requests(|request| {
            request.index_name() == Some("by-time")
                && request.scan_index_forward() == Some(false)
                && value(request.expression_attribute_values(), ":since") == Some("2026-08-24T00:00:00.000Z")
                && value(request.exclusive_start_key(), "sk") == Some("group#story:s0")
        })
        .then_http_response(|| dynamodb_responses::query(&[row()], Some(&row())));
    let position = |key: &str| InboxPosition { updated_at: "2026-11-22T00:00:00.000Z".into(), key: key.into() };
    let page = table(&[&query]).page("mina", Some(&position("story:s0")), 1, now()).await.expect("a page");
    assert_eq!((page.groups.len(), page.next), (1, Some(position("like-story:s1"))));
    assert_eq!(page.groups[0].group.actor_count(), 1);
}

/// DynamoDB refuses a start key that the key condition excludes, and the condition moves with the clock.
#[tokio::test]
async fn page_after_a_position_that_is_no_longer_kept_is_empty() {
    let at = |updated_at: &str| InboxPosition { updated_at: updated_at.into(), key: "story:s0".into() };
    for expired in ["2026-08-24T00:00:00.000Z", "2026-08-23T23:59:59.999Z"] {
        let page = table(&[]).page("mina", Some(&at(expired)), 1, now()).await.expect("a page");
        assert_eq!(page, InboxPage::default(), "{expired}");
    }
    let query = mock!(Client::query)
        .match_requests(|request| {
            value(request.exclusive_start_key(), "updated_at") > value(request.expression_attribute_values(), ":since")
        })
        .then_http_response(|| dynamodb_responses::query(&[], None));
    table(&[&query]).page("mina", Some(&at("2026-08-24T00:00:00.001Z")), 1, now()).await.expect("a page");
    assert_eq!(query.num_calls(), 1);
}

#[tokio::test]
async fn holders_of_an_edge_are_read_as_written() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            value(request.key(), "pk") == Some("edge#e1") && value(request.key(), "sk") == Some("to#like-story#mina")
        })
        .then_output(|| UpdateItemOutput::builder().build());
    let query = mock!(Client::query)
        .match_requests(|request| value(request.expression_attribute_values(), ":pk") == Some("edge#e1"))
        .then_output(|| {
            let row = [("recipient", text("mina")), ("rule", text("like-story")), ("group", text("like-story:s1"))];
            QueryOutput::builder().items(testing::row(row)).build()
        });
    let table = table(&[&update, &query]);
    table.add_holder("e1", &holder(), now()).await.expect("stored");
    assert_eq!(table.holders("e1").await.expect("holders"), [holder()]);
}

#[tokio::test]
async fn edge_of_an_erased_person_gets_a_tombstone_before_its_entry_is_removed() {
    let scan = mock!(Client::scan).then_output(|| ScanOutput::builder().items(row()).build());
    let tombstone = mock!(Client::update_item)
        .match_requests(|request| {
            value(request.key(), "pk") == Some(&format!("edge#{}", entry().edge))
                && value(request.key(), "sk") == Some("to#like-story#mina")
                && request.update_expression() == Some("SET withdrawn = :position")
        })
        .then_output(|| UpdateItemOutput::builder().build());
    let delete = mock!(Client::delete_item).then_output(|| DeleteItemOutput::builder().build());
    // In this order.
    let table = table(&[&scan, &get(), &tombstone, &get(), &delete]);
    assert_eq!(table.erase_page("jun", None, 100).await.expect("a page"), None);
    assert_eq!((tombstone.num_calls(), delete.num_calls()), (1, 1));
}

/// A transaction that is rejected with these codes.
fn rejected(codes: &'static [&'static str]) -> Rule {
    mock!(Client::transact_write_items).then_error(move || {
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        let canceled = TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build();
        TransactWriteItemsError::TransactionCanceledException(canceled)
    })
}

#[tokio::test]
async fn entry_of_a_withdrawn_edge_is_not_added() {
    let withdrawn = rejected(&["ConditionalCheckFailed", "None"]);
    assert!(!table(&[&withdrawn]).add_unless_withdrawn(&holder(), &entry()).await.expect("refused"));
}

#[tokio::test]
async fn rejected_transaction_is_of_the_kind_of_its_code() {
    for (code, expected) in [
        ("ThrottlingError", Kind::Transient),
        ("ProvisionedThroughputExceeded", Kind::Transient),
        ("AccessDenied", Kind::Transient),
        ("ValidationError", Kind::Bug),
        ("ItemCollectionSizeLimitExceeded", Kind::Bug),
        ("InvalidAction", Kind::Bug),
    ] {
        let codes: &'static [&'static str] = Box::leak(Box::new(["ConditionalCheckFailed", code]));
        let failure =
            table(&[&rejected(codes)]).add_unless_withdrawn(&holder(), &entry()).await.expect_err("a failure");
        assert_eq!(failure.kind, expected, "{code}");
    }
}

#[tokio::test]
async fn entry_is_added_to_a_group_that_others_change() {
    let other = InboxEntry { edge: "e2".into(), actor: "sora".into(), ..entry() };
    let taken = rejected(&["None", "ConditionalCheckFailed"]);
    let conflict = rejected(&["None", "TransactionConflict"]);
    let added = mock!(Client::transact_write_items)
        .match_requests(|request| {
            let [check, put] = request.transact_items() else { return false };
            let check = check.condition_check().expect("a check");
            let put = put.put().expect("a put");
            value(Some(check.key()), "pk") == Some("edge#e2")
                && value(check.expression_attribute_values(), ":position")
                    == Some("00000000000000000007.00000000000000000001-")
                && value(put.expression_attribute_values(), ":before") == Some("r1")
                && value(Some(put.item()), "content")
                    .is_some_and(|content| content.contains("jun") && content.contains("sora"))
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let table = table(&[&taken, &get(), &conflict, &get(), &added]);
    assert!(table.add_unless_withdrawn(&holder(), &other).await.expect("added"));
}

#[tokio::test]
async fn read_mark_never_moves_back() {
    let advance = mock!(Client::update_item)
        .match_requests(|request| {
            request.condition_expression().is_some_and(|condition| condition.contains("#through < :through"))
        })
        .then_output(|| UpdateItemOutput::builder().build());
    let later = mock!(Client::update_item).then_error(update_condition_failed);
    let marks = marks(&[&advance, &later]);
    marks.advance("mina", now()).await.expect("moved");
    marks.advance("mina", now() - SignedDuration::from_secs(1)).await.expect("ignored");
}

#[tokio::test]
async fn unreadable_read_mark_is_a_bug_and_a_missing_one_is_none() {
    let row = |row: Option<Attributes>| {
        mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(row.clone()).build())
    };
    assert_eq!(marks(&[&row(None)]).get("mina").await.expect("none"), None);
    let valid = testing::row([("through", text("2026-11-22T00:00:00.000Z"))]);
    assert_eq!(marks(&[&row(Some(valid))]).get("mina").await.expect("a mark"), Some(now()));
    let invalid = testing::row([("through", text("yesterday"))]);
    assert_eq!(marks(&[&row(Some(invalid))]).get("mina").await.expect_err("a failure").kind, Kind::Bug);
}

#[tokio::test]
async fn read_marks_of_many_are_read_by_one_call() {
    let row = |user: &str, through: &str| testing::row([("user", text(user)), ("through", text(through))]);
    let get = mock!(Client::batch_get_item)
        .match_requests(|request| {
            let keys = request.request_items().and_then(|items| items.get("inbox-read"));
            keys.is_some_and(|keys| keys.consistent_read() == Some(true) && keys.keys().len() == 3)
        })
        .then_output(move || {
            let rows = vec![row("mina", "2026-11-22T00:00:00.000Z"), row("jun", "yesterday")];
            BatchGetItemOutput::builder().responses("inbox-read", rows).build()
        });
    let mut marks = marks(&[&get]).get_many(&["mina", "jun", "sora"]).await.expect("marks");
    assert_eq!(marks.remove("mina").map(|mark| mark.expect("a mark")), Some(now()));
    assert_eq!(marks.remove("jun").map(|mark| mark.expect_err("a failure").kind), Some(Kind::Bug));
    assert!(marks.is_empty());
}

proptest! {
    #[test]
    fn malformed_row_is_read_or_a_bug(row in malformed(row())) {
        match StoredGroup::read(&row) {
            Ok(stored) => prop_assert!(stored.group.actor_count() >= stored.group.latest().count() as u64),
            Err(failure) => prop_assert_eq!(failure.kind, Kind::Bug),
        }
        if let Err(failure) = Holder::read(&row) {
            prop_assert_eq!(failure.kind, Kind::Bug);
        }
    }
}
