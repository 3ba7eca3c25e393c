//! Changes of the graph: published on the event bus as the poller does, with ids of a cluster that no poller has. Push and
//! search consume them. At the end the entities are removed in the same way.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use domain::graph::{
    Change, ChangeKind, EdgeEndpoints, EntityKind, Position, PropertyChange, Value, cluster_in_generation,
};
use http::Method;
use jiff::Timestamp;
use serde_json::json;
use store::ledger::LedgerTable;
use tokio::time::sleep;
use uuid::Uuid;

use super::{canary::Canary, waiting::wait};
use crate::{findings::Finding, session::Session, stream};

/// The cluster in the ids of the changes, without the generation.
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
        true => Finding::of("search", found(&EventBus { session }, canary, timeout).await),
        false => Finding::unknown("search", "the stack has none"),
    };
    let push = match push_token {
        Some(token) if session.has("PlatformApplicationArn") => {
            Finding::of("push", notified(&EventBus { session }, canary, token, timeout).await)
        }
        Some(_) => Finding::unknown("push", "the stack has none"),
        None => Finding::unknown("push", "give the token of a phone with --push-token"),
    };
    vec![search, push]
}

/// A person is found by name until they are removed.
async fn found(bus: &EventBus<'_>, canary: &Canary<'_>, timeout: Duration) -> Result<String> {
    let (id, name) = (Uuid::new_v4().to_string(), format!("smoke{}", Uuid::new_v4().simple()));
    let is_found = async |expected: bool| {
        let found = wait(timeout, async || {
            let list = canary.get(&format!("/v1/search?kind=person&q={name}")).await?.expect(200)?;
            let is_found = list["items"].as_array().into_iter().flatten().any(|item| item["id"] == id.as_str());
            Ok((is_found == expected).then_some(()))
        });
        found.await
    };
    bus.publish(&person(ChangeKind::Added, &id, &name)).await?;
    let found = is_found(true).await;
    bus.publish(&person(ChangeKind::Removed, &id, &name)).await?;
    found?.context("a new person is not found")?;
    is_found(false).await?.context("a removed person is still found")?;
    Ok("a new person is found, and no more once removed".to_owned())
}

/// A follow is sent to the phone with this token, and FCM does not refuse it.
async fn notified(bus: &EventBus<'_>, canary: &Canary<'_>, token: &str, timeout: Duration) -> Result<String> {
    let device = json!({"token": token, "platform": "android", "language": "ko"});
    canary.call(Method::PUT, DEVICE, Some(&device)).await?.expect(200)?;
    let follower = Uuid::new_v4().to_string();
    let follow = follow(ChangeKind::Added, &follower, &canary.id);
    let outcome = outcome_of(bus, canary, &follow, timeout).await;
    bus.publish(&self::follow(ChangeKind::Removed, &follower, &canary.id)).await?;
    let outcome = match outcome {
        Ok(outcome) => delivered(canary, &outcome).await,
        Err(error) => Err(error),
    };
    canary.call(Method::DELETE, DEVICE, None).await?.expect(204)?;
    outcome
}

async fn outcome_of(bus: &EventBus<'_>, canary: &Canary<'_>, follow: &Change, timeout: Duration) -> Result<String> {
    let event = bus.publish(follow).await?;
    let ledger = LedgerTable::new(bus.session.dynamodb.clone(), bus.session.output("LedgerTableName")?.to_owned());
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

/// The event bus of the stack.
struct EventBus<'a> {
    session: &'a Session,
}

impl EventBus<'_> {
    /// Publishes a change in the current generation of the graph, since consumers ignore those of earlier ones. Returns the
    /// id of its event.
    async fn publish(&self, change: &Change) -> Result<String> {
        let checkpoint = stream::checkpoint(self.session).await?;
        let cluster = cluster_in_generation(CLUSTER, checkpoint.map_or(0, |checkpoint| checkpoint.generation));
        let publish = self
            .session
            .sns
            .publish()
            .topic_arn(self.session.output("GraphChangesTopicArn")?)
            .message_group_id(change.group_id())
            .message_deduplication_id(change.deduplication_id(&cluster))
            .message(change.to_cloud_event(&cluster));
        publish.send().await.context("cannot publish a change of the graph")?;
        Ok(change.id(&cluster))
    }
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
    let position = Position::new(now.as_microsecond().unsigned_abs(), 1);
    let mut change = Change { change_kind, ..Change::new(position, now.as_millisecond(), kind, id.to_owned()) };
    match change_kind {
        ChangeKind::Removed => change.labels.removed.push(label.to_owned()),
        _ => change.labels.added.push(label.to_owned()),
    }
    change
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
