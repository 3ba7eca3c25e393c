use std::{collections::BTreeSet, slice};

use aws_sdk_dynamodb::{Client, operation::delete_item::DeleteItemOutput, types::AttributeValue};
use aws_smithy_mocks::mock;
use domain::{
    graph::Position,
    push::{Event, Fact, PersonPair, Row as ProjectionRow},
};
use jiff::Timestamp;
use store::{
    audience::{AudienceTable, PendingEvent, PendingKey},
    ledger::{Claim, Entry, LedgerTable},
};

use super::{batch_gets, client, condition_fails, puts, queries, row, text, updates};

fn now() -> Timestamp {
    "2026-11-22T00:00:01Z".parse().expect("a time")
}

fn event() -> Event {
    Event {
        id: "main/7/1".into(),
        position: Position::new(7, 1).into(),
        committed_at: "2026-11-22T00:00:00Z".parse().expect("a time"),
        edge: "e1".into(),
        label: "likes".into(),
        from: "jun".into(),
        to: "s1".into(),
    }
}

#[tokio::test]
async fn ledger_row_of_previous_version_decides_a_claim() {
    let event = event();
    let entry = Entry { event: &event, rule: "like-story", recipient: "mina" };
    let settled = |outcome: &str| Claim::Settled(outcome.to_owned());
    for (name, expected) in [("claimed", Claim::Held), ("sent", settled("sent")), ("muted", settled("muted"))] {
        let table = LedgerTable::new(client(&[&condition_fails(&row(&format!("ledger/{name}")))]), "ledger".to_owned());
        assert_eq!(table.claim(&entry, "request-2", now(), now()).await.expect("a result"), expected, "{name}");
    }
    let given_back = row("ledger/given_back");
    let update = updates(":me", given_back["claimed_by"].clone(), &given_back);
    let table = LedgerTable::new(client(&[&update]), "ledger".to_owned());
    let sent = BTreeSet::from(["phone".to_owned(), "tablet".to_owned()]);
    let claim = table.claim(&entry, "request-1", now(), now()).await.expect("a result");
    assert_eq!(claim, Claim::Claimed { sent });
}

#[tokio::test]
async fn ledger_row_of_previous_version_is_written_unchanged() {
    let event = event();
    let entry = Entry { event: &event, rule: "like-story", recipient: "mina" };
    let muted = puts(&row("ledger/muted"));
    let table = LedgerTable::new(client(&[&muted]), "ledger".to_owned());
    table.record_outcome(&entry, "muted", now()).await.expect("the same row");
    assert_eq!(muted.num_calls(), 1);
}

#[tokio::test]
async fn projection_of_previous_version_is_read_and_written_unchanged() {
    for (name, projection, registers) in [
        ("vertex_story", ProjectionRow::Vertex("s1".into()), 4),
        ("vertex_person", ProjectionRow::Vertex("mina".into()), 2),
        ("follower", ProjectionRow::Follower { of: "mina".into(), follower: "jun".into() }, 1),
        ("follower_tombstone", ProjectionRow::Follower { of: "mina".into(), follower: "jun".into() }, 1),
        ("pair", ProjectionRow::PersonPair(PersonPair::of("mina", "jun")), 2),
        ("edge", ProjectionRow::Edge("e6".into()), 1),
    ] {
        let stored = row(&format!("audience/{name}"));
        let table = AudienceTable::new(client(&[&batch_gets("audience", &stored)]), "audience".to_owned());
        let found = table.get(slice::from_ref(&projection)).await.expect("a result").remove(&projection);
        let found = found.expect("a row of this key");
        assert_eq!(found.len(), registers, "{name}");
        for (register, value) in found {
            let update = updates(":register", stored[&format!("r:{register}")].clone(), &stored);
            // A row without a value is given an expiry by a second update.
            let expiry = stored.get("expires_at").map(|expiry| updates(":expires_at", expiry.clone(), &stored));
            let rules: Vec<_> = [Some(&update), expiry.as_ref()].into_iter().flatten().collect();
            let table = AudienceTable::new(client(&rules), "audience".to_owned());
            let fact = Fact { row: projection.clone(), name: register, register: value };
            table.apply(&fact, now()).await.expect("the same register");
        }
    }
}

#[tokio::test]
async fn pending_event_of_previous_version_is_read_dropped_and_replaced() {
    for (name, pending_key) in
        [("waiting", PendingKey::WaitingFor("s1".into())), ("recent", PendingKey::RecentBy("jun".into()))]
    {
        let stored = row(&format!("audience/{name}"));
        let mut replaced = stored.clone();
        replaced.insert("nonce".to_owned(), AttributeValue::S("n1".to_owned()));
        let put = puts(&replaced);
        let delete = mock!(Client::delete_item)
            .match_requests(|request| {
                request.condition_expression() == Some("attribute_not_exists(nonce) AND note <= :value")
            })
            .then_output(|| DeleteItemOutput::builder().build());
        let table = AudienceTable::new(client(&[&queries(&stored), &put, &delete]), "audience".to_owned());
        let pending = PendingEvent { event: event(), nonce: None };
        let page = table.pending_page(&pending_key, None, 10).await.expect("a page");
        assert_eq!(page.events, std::slice::from_ref(&pending));
        table.drop_pending(&pending_key, &pending).await.expect("dropped");
        table.add_pending(&pending_key, &event(), "n1").await.expect("the same row, with a nonce");
        assert_eq!((put.num_calls(), delete.num_calls()), (1, 1), "{name}");
    }
    assert_eq!(text(&row("audience/waiting"), "sk"), "waiting#e1");
}
