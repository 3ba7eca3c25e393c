//! Changes of the graph: published on the event bus as the poller does, with ids of a cluster that no poller has. Push and
//! search consume them. At the end the entities are removed in the same way.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use domain::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value};
use http::Method;
use jiff::Timestamp;
use serde_json::json;
use store::ledger::LedgerTable;
use tokio::time::sleep;
use uuid::Uuid;

use super::{canary::Canary, waiting::wait};
use crate::{findings::Finding, session::Session};

/// The cluster in the ids of the changes.
const CLUSTER: &str = "smoke";
/// The notification rule of a follow.
const FOLLOW_RULE: &str = "follow";
/// The device of the account.
const DEVICE: &str = "/v1/devices/smoke";
/// How long FCM may take to refuse a token, and SNS to say so.
const REFUSAL: Duration = Duration::from_secs(10);

/// Checks search and push, as far as the stack has them.
pub async fn check(
    session: &Session,
    canary: &Canary<'_>,
    push_token: Option<&str>,
    timeout: Duration,
) -> Vec<Finding> {
    let search = match session.has("SearchQueueUrl") {
        true => Finding::of("search", found(session, canary, timeout).await),
        false => Finding::unknown("search", "the stack has none"),
    };
    let push = match push_token {
        Some(token) if session.has("PlatformApplicationArn") => {
            Finding::of("push", notified(session, canary, token, timeout).await)
        }
        Some(_) => Finding::unknown("push", "the stack has none"),
        None => Finding::unknown("push", "give the token of a phone with --push-token"),
    };
    vec![search, push]
}

/// A person is found by name until they are removed.
async fn found(session: &Session, canary: &Canary<'_>, timeout: Duration) -> Result<String> {
    let (id, name) = (Uuid::new_v4().to_string(), format!("smoke{}", Uuid::new_v4().simple()));
    let is_found = async |expected: bool| {
        let found = wait(timeout, async || {
            let list = canary.get(&format!("/v1/search?kind=person&q={name}")).await?.expect(200)?;
            let is_found = list["items"].as_array().into_iter().flatten().any(|item| item["id"] == id.as_str());
            Ok((is_found == expected).then_some(()))
        });
        found.await
    };
    publish(session, &person(ChangeKind::Added, &id, &name)).await?;
    let found = is_found(true).await;
    publish(session, &person(ChangeKind::Removed, &id, &name)).await?;
    found?.context("a new person is not found")?;
    is_found(false).await?.context("a removed person is still found")?;
    Ok("a new person is found, and no more once removed".to_owned())
}

/// A follow is sent to the phone with this token, and FCM does not refuse it.
async fn notified(session: &Session, canary: &Canary<'_>, token: &str, timeout: Duration) -> Result<String> {
    let device = json!({"token": token, "platform": "android", "language": "ko"});
    canary.call(Method::PUT, DEVICE, Some(&device)).await?.expect(200)?;
    let follower = Uuid::new_v4().to_string();
    let follow = follow(ChangeKind::Added, &follower, &canary.id);
    let outcome = outcome_of(session, canary, &follow, timeout).await;
    publish(session, &self::follow(ChangeKind::Removed, &follower, &canary.id)).await?;
    let outcome = match outcome {
        Ok(outcome) => delivered(canary, &outcome).await,
        Err(error) => Err(error),
    };
    canary.call(Method::DELETE, DEVICE, None).await?.expect(204)?;
    outcome
}

async fn outcome_of(session: &Session, canary: &Canary<'_>, follow: &Change, timeout: Duration) -> Result<String> {
    publish(session, follow).await?;
    let ledger = LedgerTable::new(session.dynamodb.clone(), session.output("LedgerTableName")?.to_owned());
    let event = follow.id(CLUSTER);
    let outcome = wait(timeout, async || Ok(ledger.outcome(FOLLOW_RULE, &event, &canary.id).await?));
    outcome.await?.context("push-fanout has not processed a follow")
}

/// SNS accepts a notification before FCM does. A device whose token FCM refuses is removed.
async fn delivered(canary: &Canary<'_>, outcome: &str) -> Result<String> {
    ensure!(outcome == "sent", "the outcome of a follow is {outcome}");
    sleep(REFUSAL).await;
    let status = canary.get(DEVICE).await?.status;
    ensure!(status == 200, "FCM refuses the token: the device was removed");
    Ok("a follow is sent to the phone, and FCM does not refuse its token".to_owned())
}

async fn publish(session: &Session, change: &Change) -> Result<()> {
    let publish = session
        .sns
        .publish()
        .topic_arn(session.output("GraphChangesTopicArn")?)
        .message_group_id(change.group_id())
        .message_deduplication_id(change.deduplication_id(CLUSTER))
        .message(change.to_cloud_event(CLUSTER));
    publish.send().await.map(drop).context("cannot publish a change of the graph")
}

/// A person with a name is added or removed.
fn person(change_kind: ChangeKind, id: &str, name: &str) -> Change {
    let names = vec![Value::String(name.to_owned())];
    let name = match change_kind {
        ChangeKind::Removed => PropertyChange { before: names, after: Vec::new() },
        _ => PropertyChange { before: Vec::new(), after: names },
    };
    let properties = BTreeMap::from([("name".to_owned(), name)]);
    Change { properties, ..change(change_kind, EntityKind::Vertex, "person", id) }
}

/// An edge between two people is added or removed.
fn follow(change_kind: ChangeKind, from: &str, to: &str) -> Change {
    let ends = EdgeEndpoints { from: from.to_owned(), to: to.to_owned() };
    Change { ends: Some(ends), ..change(change_kind, EntityKind::Edge, "follows", &format!("smoke:{from}:{to}")) }
}

/// A change at a position that only grows.
fn change(change_kind: ChangeKind, kind: EntityKind, label: &str, id: &str) -> Change {
    let now = Timestamp::now();
    let mut labels = Labels::default();
    match change_kind {
        ChangeKind::Removed => labels.removed.push(label.to_owned()),
        _ => labels.added.push(label.to_owned()),
    }
    Change {
        position: Position::new(now.as_microsecond().unsigned_abs(), 1),
        commit_timestamp_ms: now.as_millisecond(),
        kind,
        entity_id: id.to_owned(),
        change_kind,
        labels,
        ends: None,
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
        is_partial: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_by_consumers_in_their_order() {
        let added = person(ChangeKind::Added, "p", "미나");
        let removed = person(ChangeKind::Removed, "p", "미나");
        for change in [&added, &removed, &follow(ChangeKind::Added, "a", "b")] {
            let received = Change::from_cloud_event(&change.to_cloud_event(CLUSTER)).expect("a change");
            assert_eq!((&received.change, received.cluster.as_str()), (change, CLUSTER));
        }
        assert!(removed.position >= added.position && removed.group_id() == added.group_id());
    }
}
