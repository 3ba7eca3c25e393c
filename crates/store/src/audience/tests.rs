mod tombstones;

use aws_sdk_dynamodb::{
    Client,
    operation::{
        delete_item::DeleteItemOutput, put_item::PutItemOutput, query::QueryOutput, update_item::UpdateItemOutput,
    },
};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use domain::{
    graph::{GenerationPosition, Position},
    push::{Fact, PersonPair, Register, Row},
};
use dynamodb_responses::requested_keys;
use function_kit::failure::Kind;
use proptest::prelude::*;

use super::{
    generation::generation_key,
    key::{key, key_of},
    table::{read_registers, required_text},
    *,
};
use crate::{
    attribute::{Attributes, number, text},
    register_attributes::attribute_name,
    testing::{delete_condition_failed, event, malformed, now, row, update_condition_failed, value},
};

fn table(rules: &[&Rule]) -> AudienceTable {
    AudienceTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "audience".to_owned())
}

fn fact(row: Row, name: &str, value: Option<&str>) -> Fact {
    let register = Register { position: Position::new(7, 1).into(), value: value.map(str::to_owned) };
    Fact { row, name: name.to_owned(), register }
}

fn follower() -> Row {
    Row::Follower { of: "mina".into(), follower: "jun".into() }
}

#[tokio::test]
async fn fact_is_written_unless_superseded() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            let values = request.expression_attribute_values();
            value(request.key(), "pk") == Some("followers#mina")
                && value(request.key(), "sk") == Some("jun")
                && request.condition_expression() == Some("(attribute_not_exists(#register) OR #register <= :register)")
                && request.update_expression() == Some("SET #register = :register REMOVE expires_at ADD writes :one")
                && request.expression_attribute_names().and_then(|names| names.get("#register"))
                    == Some(&"r:edge#e1".to_owned())
                && value(values, ":register") == Some("00000000000000000007.00000000000000000001+")
        })
        .sequence()
        .output(|| UpdateItemOutput::builder().build())
        .error(update_condition_failed)
        .build();
    let table = table(&[&update]);
    let fact = fact(follower(), "edge#e1", Some(""));
    table.apply(&fact, now()).await.expect("written");
    table.apply(&fact, now()).await.expect("superseded");
    assert_eq!(update.num_calls(), 2);
}

/// Accepts the write of a tombstone; `content` is the row after it.
fn tombstone_written(expression: &'static str, content: Attributes) -> Rule {
    mock!(Client::update_item)
        .match_requests(move |request| request.update_expression() == Some(expression))
        .then_output(move || UpdateItemOutput::builder().set_attributes(Some(content.clone())).build())
}

/// Accepts the expiry of a row after `writes` writes.
fn expires(writes: &'static str, expires_at: &'static str) -> Rule {
    mock!(Client::update_item)
        .match_requests(move |request| {
            let values = request.expression_attribute_values();
            request.condition_expression() == Some("writes = :writes")
                && value(values, ":writes") == Some(writes)
                && value(values, ":expires_at") == Some(expires_at)
        })
        .then_output(|| UpdateItemOutput::builder().build())
}

const RAISES: &str = "SET #register = :register, keep_until = :keep_until ADD writes :one";
/// 120 days after the commit.
const EXPIRY: &str = "1805673600";
const LATER: &str = "1805673601";

fn emptied(writes: u32, times: &[(&str, &str)]) -> Attributes {
    let tombstone = Register::tombstone(Position::new(7, 1)).to_string();
    let mut content = row([("r:edge#e1", text(&tombstone)), ("writes", number(writes)), ("pk", text("p"))]);
    content.extend(times.iter().map(|(name, time)| ((*name).to_owned(), number(time))));
    content
}

#[tokio::test]
async fn row_without_values_expires_unless_written_again() {
    let written = tombstone_written(RAISES, emptied(2, &[("keep_until", EXPIRY)]));
    let expiring = expires("2", EXPIRY);
    table(&[&written, &expiring]).apply(&fact(follower(), "edge#e1", None), now()).await.expect("written");
    assert_eq!(expiring.num_calls(), 1);
}

#[tokio::test]
async fn older_tombstone_does_not_shorten_the_time_of_a_newer_one() {
    // A newer tombstone of another register has raised the time.
    let later = mock!(Client::update_item)
        .match_requests(|request| {
            request.condition_expression()
                == Some(
                    "(attribute_not_exists(#register) OR #register <= :register) \
                     AND (attribute_not_exists(keep_until) OR keep_until <= :keep_until)",
                )
        })
        .then_error(update_condition_failed);
    let unraised = "SET #register = :register ADD writes :one";
    let written = tombstone_written(unraised, emptied(3, &[("keep_until", LATER)]));
    let expiring = expires("3", LATER);
    table(&[&later, &written, &expiring]).apply(&fact(follower(), "edge#e1", None), now()).await.expect("written");
    assert_eq!(expiring.num_calls(), 1);
    // The version before stored the time only as the expiry.
    let written = tombstone_written(RAISES, emptied(3, &[("keep_until", EXPIRY), ("expires_at", LATER)]));
    let expiring = expires("3", LATER);
    table(&[&written, &expiring]).apply(&fact(follower(), "edge#e1", None), now()).await.expect("written");
    assert_eq!(expiring.num_calls(), 1);
}

#[tokio::test]
async fn expiry_of_an_edge_only_rises() {
    let later = mock!(Client::update_item)
        .match_requests(|request| {
            request.update_expression() == Some("SET #register = :register, expires_at = :expires_at")
                && value(request.expression_attribute_values(), ":expires_at") == Some(EXPIRY)
                && request.condition_expression().is_some_and(|condition| {
                    condition.ends_with(" AND (attribute_not_exists(expires_at) OR expires_at <= :expires_at)")
                })
        })
        .then_error(update_condition_failed);
    let written = tombstone_written("SET #register = :register", Attributes::new());
    table(&[&later, &written]).apply(&fact(Row::Edge("e1".into()), "edge", None), now()).await.expect("written");
    assert_eq!(written.num_calls(), 1);
}

#[tokio::test]
async fn row_with_a_value_does_not_expire() {
    let holds = Register::new(Position::new(3, 1), "").to_string();
    let update = mock!(Client::update_item).then_output(move || {
        let content = row([("r:edge#e0", text(&holds)), ("writes", number(2))]);
        UpdateItemOutput::builder().set_attributes(Some(content)).build()
    });
    table(&[&update]).apply(&fact(follower(), "edge#e1", None), now()).await.expect("written");
    assert_eq!(update.num_calls(), 1);
}

#[tokio::test]
async fn row_of_an_edge_always_expires() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            request.update_expression() == Some("SET #register = :register, expires_at = :expires_at")
        })
        .sequence()
        .output(|| UpdateItemOutput::builder().build())
        .output(|| UpdateItemOutput::builder().build())
        .build();
    let table = table(&[&update]);
    for value in [Some("likes"), None] {
        table.apply(&fact(Row::Edge("e1".into()), "edge", value), now()).await.expect("written");
    }
    assert_eq!(update.num_calls(), 2);
}

#[tokio::test]
async fn unprocessed_keys_are_requested_again() {
    let (vertex, pair) = (Row::Vertex("s1".into()), Row::PersonPair(PersonPair::of("mina", "jun")));
    let title = Register::new(Position::new(1, 1), "첫눈").to_string();
    let found = move |pk: &str| vec![row([("pk", text(pk)), ("sk", text("facts")), ("r:title", text(&title))])];
    let second = found.clone();
    let get = mock!(Client::batch_get_item)
        .match_requests(|request| {
            let requested = request.request_items().and_then(|items| items.get("audience"));
            requested.is_some_and(|requested| requested.consistent_read() == Some(true))
        })
        .sequence()
        .http_response(move || {
            let left = key(&Row::PersonPair(PersonPair::of("mina", "jun")));
            dynamodb_responses::batch_get("audience", &found("vertex#s1"), &[left])
        })
        .http_response(move || dynamodb_responses::batch_get("audience", &second("pair#3#jun#mina"), &[]))
        .build();
    let rows = [vertex.clone(), pair.clone(), vertex.clone()];
    let found = table(&[&get]).get(&rows).await.expect("rows");
    assert_eq!(found.len(), 2);
    assert_eq!(found[&vertex]["title"].value.as_deref(), Some("첫눈"));
    assert!(found.contains_key(&pair));
}

/// A table in which `jun` followed `mina` in generation 0, by an edge with this register.
fn after_reset(register: Register, generation: Option<u32>) -> Rule {
    mock!(Client::batch_get_item).then_compute_response(move |request| {
        let keys = requested_keys(request.request_items(), "audience");
        let rows = keys.into_iter().filter_map(|mut key| {
            match (value(Some(&key), "pk"), generation) {
                (Some("generation"), Some(generation)) => key.insert("generation".to_owned(), number(generation)),
                (Some("followers#mina"), _) => key.insert("r:edge#e1".to_owned(), text(register.to_string())),
                _ => return None,
            };
            Some(key)
        });
        MockResponse::Http(dynamodb_responses::batch_get("audience", &rows.collect::<Vec<_>>(), &[]))
    })
}

#[tokio::test]
async fn registers_of_an_ended_generation_are_left_out() {
    let at = |generation| GenerationPosition { generation, position: Position::new(7, 1) };
    for (register, stored, is_follower) in [
        (0, None, true),
        (0, Some(1), false),
        (1, Some(1), true),
        (1, Some(2), false),
        // The row with the generation was deleted.
        (1, None, true),
    ] {
        let rule = after_reset(Register::new(at(register), ""), stored);
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule]);
        let table = AudienceTable::new(client, "audience".to_owned());
        let found = table.get(&[follower()]).await.expect("rows");
        assert_eq!(!found[&follower()].is_empty(), is_follower, "{register} {stored:?}");
        // The generation is known for some seconds, also to a query.
        let relation = crate::relations::Relations { audience: table.clone() };
        let is_related = relation.of("jun", "mina").await.expect("a relation") == domain::media::Relation::Follower;
        assert_eq!(is_related, is_follower, "{register} {stored:?}");
    }
}

/// An unknown generation must not show what a reset has deleted.
#[tokio::test]
async fn generation_that_cannot_be_read_is_a_bug() {
    for row in [row([]), row([("generation", text("1"))])] {
        let get = mock!(Client::batch_get_item).then_compute_response(move |_| {
            let mut stored = generation_key();
            stored.extend(row.clone());
            MockResponse::Http(dynamodb_responses::batch_get("audience", &[stored], &[]))
        });
        let failure = table(&[&get]).get(&[follower()]).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Bug, "{failure}");
    }
}

#[tokio::test]
async fn generation_is_read_once_in_some_seconds() {
    let get = mock!(Client::batch_get_item)
        .match_requests(|request| {
            let requested = request.request_items().and_then(|items| items.get("audience"));
            requested.is_some_and(|requested| requested.keys().len() == 2)
        })
        .then_http_response(|| dynamodb_responses::batch_get("audience", &[], &[]));
    let again = mock!(Client::batch_get_item)
        .match_requests(|request| {
            let requested = request.request_items().and_then(|items| items.get("audience"));
            requested.is_some_and(|requested| requested.keys().len() == 1)
        })
        .then_http_response(|| dynamodb_responses::batch_get("audience", &[], &[]));
    let table = table(&[&get, &again]);
    for _ in 0..2 {
        assert!(table.get(&[follower()]).await.expect("no rows").is_empty());
    }
    assert!(table.get(&[]).await.expect("no call").is_empty());
}

#[tokio::test]
async fn first_fact_of_a_generation_is_written_after_the_generation() {
    let generation = mock!(Client::update_item)
        .match_requests(|request| {
            value(request.key(), "pk") == Some("generation")
                && request.condition_expression()
                    == Some("attribute_not_exists(#generation) OR #generation < :generation")
                && value(request.expression_attribute_values(), ":generation") == Some("2")
        })
        .then_error(update_condition_failed);
    let facts = mock!(Client::update_item)
        .match_requests(|request| {
            value(request.expression_attribute_values(), ":register")
                .is_some_and(|text| text.starts_with("g0000000002.00000000000000000001."))
        })
        .sequence()
        .output(|| UpdateItemOutput::builder().build())
        .output(|| UpdateItemOutput::builder().build())
        .build();
    let table = table(&[&generation, &facts]);
    let position = GenerationPosition { generation: 2, position: Position::new(1, 1) };
    let fact = Fact { row: follower(), name: "edge#e1".to_owned(), register: Register::new(position, "") };
    for _ in 0..2 {
        table.apply(&fact, now()).await.expect("written");
    }
    assert_eq!((generation.num_calls(), facts.num_calls()), (1, 2));
}

#[tokio::test]
async fn value_of_an_ended_generation_does_not_keep_its_row() {
    let position = GenerationPosition { generation: 1, position: Position::new(1, 1) };
    let tombstone = Register::tombstone(position);
    let content = [Register::new(Position::new(90, 1), "").to_string(), tombstone.to_string()];
    let generation = mock!(Client::update_item).then_output(|| UpdateItemOutput::builder().build());
    let emptied = mock!(Client::update_item).then_output(move || {
        let [old, new] = [text(&content[0]), text(&content[1])];
        let until = ("keep_until", number(1_800_000_000));
        let row = row([("r:edge#e0", old), ("r:edge#e1", new), ("writes", number(2)), until]);
        UpdateItemOutput::builder().set_attributes(Some(row)).build()
    });
    let expiring = mock!(Client::update_item)
        .match_requests(|request| request.condition_expression() == Some("writes = :writes"))
        .then_output(|| UpdateItemOutput::builder().build());
    let fact = Fact { row: follower(), name: "edge#e1".to_owned(), register: tombstone };
    table(&[&generation, &emptied, &expiring]).apply(&fact, now()).await.expect("written");
    assert_eq!(expiring.num_calls(), 1);
}

#[tokio::test]
async fn page_of_followers_names_the_start_of_the_next() {
    let query = mock!(Client::query)
        .match_requests(|request| {
            value(request.exclusive_start_key(), "sk") == Some("hana")
                && request.consistent_read() == Some(true)
                && request.limit() == Some(2)
        })
        .then_output(|| {
            let follower = |sk: &str| {
                let holds = Register::new(Position::new(3, 1), "").to_string();
                row([("sk", text(sk)), ("r:edge#e", text(holds))])
            };
            let last = key_of("followers#mina".to_owned(), "sora".to_owned());
            let output = QueryOutput::builder().items(follower("jun")).items(follower("sora"));
            output.set_last_evaluated_key(Some(last)).build()
        });
    let page = table(&[&query]).followers("mina", Some("hana"), 2).await.expect("a page");
    assert_eq!(page.followers.iter().map(|(follower, _)| follower.as_str()).collect::<Vec<_>>(), ["jun", "sora"]);
    assert_eq!(page.next.as_deref(), Some("sora"));
}

#[tokio::test]
async fn pending_event_is_stored_read_and_removed() {
    let pending_key = PendingKey::WaitingFor("s1".into());
    let put = mock!(Client::put_item)
        .match_requests(|request| {
            let note = value(request.item(), "note").unwrap_or_default();
            value(request.item(), "pk") == Some("vertex#s1")
                && value(request.item(), "sk") == Some("waiting#e1")
                && note.starts_with("00000000000000000007.00000000000000000001+{")
                && value(request.item(), "nonce") == Some("n1")
                && value(request.item(), "expires_at") == Some("1795392000")
                && request.condition_expression() == Some("attribute_not_exists(note) OR note <= :note")
        })
        .then_output(|| PutItemOutput::builder().build());
    table(&[&put]).add_pending(&pending_key, &event(), "n1").await.expect("stored");

    let json = serde_json::to_string(&event()).expect("JSON");
    let query = mock!(Client::query)
        .match_requests(|request| value(request.expression_attribute_values(), ":prefix") == Some("waiting#"))
        .then_output(move || {
            let note = Register::new(Position::new(7, 1), json.clone()).to_string();
            QueryOutput::builder().items(row([("note", text(note)), ("nonce", text("n1"))])).build()
        });
    let page = table(&[&query]).pending_page(&pending_key, None, 10).await.expect("a page");
    let pending = PendingEvent { event: event(), nonce: Some("n1".to_owned()) };
    assert_eq!(page, PendingPage { events: vec![pending.clone()], next: None });

    let delete = mock!(Client::delete_item)
        .match_requests(|request| {
            request.condition_expression() == Some("note <= :value")
                && value(request.expression_attribute_values(), ":value")
                    == Some("00000000000000000009.00000000000000000001-")
        })
        .sequence()
        .output(|| DeleteItemOutput::builder().build())
        .error(delete_condition_failed)
        .build();
    let removing = table(&[&delete]);
    for _ in 0..2 {
        removing.remove_pending(&pending_key, "e1", Position::new(9, 1).into()).await.expect("removed, or not there");
    }

    for (nonce, condition, expected) in [
        (Some("n1"), "nonce = :value", "n1"),
        (None, "attribute_not_exists(nonce) AND note <= :value", "00000000000000000007.00000000000000000001-"),
    ] {
        let delete = mock!(Client::delete_item)
            .match_requests(move |request| {
                request.condition_expression() == Some(condition)
                    && value(request.expression_attribute_values(), ":value") == Some(expected)
            })
            .then_error(delete_condition_failed);
        let pending = PendingEvent { nonce: nonce.map(str::to_owned), ..pending.clone() };
        table(&[&delete]).drop_pending(&pending_key, &pending).await.expect("dropped, or stored again");
        assert_eq!(delete.num_calls(), 1);
    }
}

#[tokio::test]
async fn row_with_an_invalid_register_is_a_bug() {
    let query = mock!(Client::query)
        .then_output(|| QueryOutput::builder().items(row([("sk", text("jun")), ("r:edge#e", text("yes"))])).build());
    let failure = table(&[&query]).followers("mina", None, 2).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Bug);
}

proptest! {
    #[test]
    fn malformed_row_is_read_or_a_bug(row in malformed(row([
        ("pk", text("vertex#v1")),
        ("sk", text("facts")),
        (&attribute_name("owner"), text(Register::new(Position::new(7, 1), "mina").to_string())),
    ]))) {
        for failure in [read_registers(&row).err(), required_text(&row, "sk").err()].into_iter().flatten() {
            prop_assert_eq!(failure.kind, Kind::Bug);
        }
    }
}
