use aws_sdk_dynamodb::{
    Client,
    operation::{batch_get_item::BatchGetItemOutput, query::QueryOutput},
    types::KeysAndAttributes,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::media::{MediaId, Relation};

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
        .then_output(|| QueryOutput::builder().build());
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
        .then_output(|| QueryOutput::builder().items(row("photo/mina/a")).items(row("photo/mina/b")).build());
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
