use aws_sdk_dynamodb::{
    Client,
    operation::{
        batch_get_item::BatchGetItemOutput,
        put_item::{PutItemError, PutItemOutput},
    },
    types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure, error::ConditionalCheckFailedException},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::{
    media::{MediaId, MediaItem, Relation, Sequencer, State},
    user_report::ReportReason,
};

use super::{
    row::{tests::processing, to_attributes},
    table::key,
    *,
};
use crate::{attribute::Attributes, batch_get::MAX_ATTEMPTS, testing::value};

fn table(rules: &[&Rule]) -> MediaTable {
    MediaTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "media".into())
}

fn ids() -> [MediaId; 2] {
    ["photo/mina/a", "photo/mina/b"].map(MediaId::of_key)
}

fn row(key: &str) -> Attributes {
    to_attributes(processing(key)).expect("a row")
}

/// A response that leaves the second of [`ids`] unprocessed.
fn second_unprocessed(rows: Vec<Attributes>) -> BatchGetItemOutput {
    let left = KeysAndAttributes::builder().keys(key(ids()[1])).build().expect("keys");
    BatchGetItemOutput::builder().responses("media", rows).unprocessed_keys("media", left).build()
}

#[tokio::test]
async fn unprocessed_items_are_requested_again() {
    let is_brief = |request: &KeysAndAttributes| {
        request.consistent_read() == Some(true)
            && request.projection_expression().is_some_and(|names| !names.contains("derived"))
    };
    let first = mock!(Client::batch_get_item)
        .match_requests(move |request| {
            let requested = request.request_items().and_then(|items| items.get("media"));
            requested.is_some_and(|requested| requested.keys() == ids().map(key) && is_brief(requested))
        })
        .then_output(|| second_unprocessed(vec![row("photo/mina/a")]));
    let second = mock!(Client::batch_get_item)
        .match_requests(move |request| {
            let requested = request.request_items().and_then(|items| items.get("media"));
            requested.is_some_and(|requested| requested.keys() == [key(ids()[1])] && is_brief(requested))
        })
        .then_output(|| BatchGetItemOutput::builder().responses("media", vec![row("photo/mina/b")]).build());
    let items = table(&[&first, &second]).get_many(&ids(), Projection::Brief).await.expect("items");
    assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), ids());
}

#[tokio::test]
async fn batch_that_stays_incomplete_is_a_transient_failure() {
    let incomplete = mock!(Client::batch_get_item).then_output(|| second_unprocessed(vec![]));
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&incomplete]);
    let items = MediaTable::new(client, "media".into()).get_many(&ids(), Projection::Full).await;
    assert_eq!(items.expect_err("a failure").kind, function_kit::failure::Kind::Transient);
    assert_eq!(incomplete.num_calls(), MAX_ATTEMPTS);
}

/// A rejected write, with the row that has rejected it.
fn rejected_by(row: Attributes) -> PutItemError {
    let failed = ConditionalCheckFailedException::builder().set_item(Some(row)).build();
    PutItemError::ConditionalCheckFailedException(failed)
}

fn taken_down(mut item: MediaItem, sequencer: &str) -> Attributes {
    item.position.sequencer = Sequencer::parse(sequencer).expect("a sequencer");
    to_attributes(item.taken_down(ReportReason::Hate)).expect("a row")
}

#[tokio::test]
async fn later_state_of_an_item_that_was_taken_down_is_stored_as_taken_down() {
    let later = processing("photo/mina/a");
    let deleted = MediaItem { state: State::Deleted { expires_at: crate::testing::now() }, ..later.clone() };
    for (item, state) in [(later.clone(), "processing"), (deleted, "deleted")] {
        let put = mock!(Client::put_item)
            .match_requests(move |request| {
                let values = request.expression_attribute_values();
                let is_second = value(values, ":taken_down").is_some();
                request.return_values_on_condition_check_failure() == Some(&ReturnValuesOnConditionCheckFailure::AllOld)
                    && (!is_second
                        || (value(request.item(), "taken_down") == Some("hate")
                            && value(request.item(), "state") == Some(state)
                            && !request.item().is_some_and(|row| row.contains_key("all_for_anyone"))))
            })
            .sequence()
            .error(|| rejected_by(taken_down(processing("photo/mina/a"), "01")))
            .output(|| PutItemOutput::builder().build())
            .build();
        assert_eq!(table(&[&put]).put(item).await.expect("stored"), WriteOutcome::Stored);
        assert_eq!(put.num_calls(), 2, "{state}");
    }
}

#[tokio::test]
async fn earlier_state_of_an_item_that_was_taken_down_is_superseded() {
    let put = mock!(Client::put_item).then_error(|| rejected_by(taken_down(processing("photo/mina/a"), "0A")));
    let written = table(&[&put]).put(processing("photo/mina/a")).await.expect("superseded");
    assert_eq!((written, put.num_calls()), (WriteOutcome::Superseded, 1));
}

#[tokio::test]
async fn item_that_is_restored_meanwhile_is_stored_as_it_is() {
    let restored = || {
        let mut row = taken_down(processing("photo/mina/a"), "02");
        row.remove("taken_down");
        row
    };
    let put = mock!(Client::put_item)
        .match_requests(|_| true)
        .sequence()
        .error(|| rejected_by(taken_down(processing("photo/mina/a"), "01")))
        .error(move || rejected_by(restored()))
        .output(|| PutItemOutput::builder().build())
        .build();
    assert_eq!(table(&[&put]).put(processing("photo/mina/a")).await.expect("stored"), WriteOutcome::Stored);
    // An item that is taken down and restored all the time does not hold up the function.
    let put = mock!(Client::put_item).then_error(|| rejected_by(taken_down(processing("photo/mina/a"), "01")));
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&put]);
    let written = MediaTable::new(client, "media".into()).put(processing("photo/mina/a")).await;
    let failure = written.expect_err("a failure");
    assert_eq!(failure.kind, function_kit::failure::Kind::Transient);
}

#[tokio::test]
async fn empty_batch_sends_no_request() {
    assert_eq!(table(&[]).get_many(&[], Projection::Full).await.expect("no items"), []);
}

#[tokio::test]
async fn brief_page_names_its_index_and_its_attributes() {
    let query = mock!(Client::query)
        .match_requests(|request| {
            let names = request.expression_attribute_names();
            let named = |alias: &str| names.and_then(|names| names.get(alias)).map(String::as_str);
            let attributes = request.projection_expression().unwrap_or_default();
            named("#list") == Some("all_for_owner")
                && attributes.split(", ").all(|alias| named(alias) == alias.strip_prefix('#'))
        })
        .then_http_response(|| dynamodb_responses::query(&[], None));
    let (selection, relation, order) = (Selection::All, Relation::Owner, Order::Newest);
    let list = List { owner: "mina".into(), selection, relation, order };
    table(&[&query]).list(&list, 1, None, Projection::Brief).await.expect("a page");
    assert_eq!(query.num_calls(), 1);
}

#[tokio::test]
async fn page_is_read_by_one_query_without_a_filter() {
    let query = mock!(Client::query)
        .match_requests(|request| {
            let values = request.expression_attribute_values();
            request.index_name() == Some("post_for_followers")
                && request.filter_expression().is_none()
                && request.scan_index_forward() == Some(true)
                && request.key_condition_expression() == Some("#list = :list AND listed_at > :after")
                && value(values, ":list") == Some("p1#mina")
                && value(values, ":after") == Some("x")
                && request.limit() == Some(2)
        })
        .then_http_response(|| dynamodb_responses::query(&["photo/mina/a", "photo/mina/b"].map(row), None));
    let list = List {
        owner: "mina".into(),
        selection: Selection::Post("p1".to_owned().try_into().expect("a post")),
        relation: Relation::Follower,
        order: Order::Oldest,
    };
    let page = table(&[&query]).list(&list, 1, Some(&SortKey("x".into())), Projection::Full).await.expect("a page");
    let id = MediaId::of_key("photo/mina/a");
    assert_eq!(page.items.iter().map(|item| item.id).collect::<Vec<_>>(), [id]);
    assert_eq!(page.next, Some(SortKey(format!("2026-11-22T01:02:03.000Z#{id}"))));
    assert_eq!(query.num_calls(), 1);
}
