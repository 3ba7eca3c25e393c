//! Step 1: applies a message's facts to the projections.

use domain::{
    graph::{ChangeKind, ReceivedChange},
    push::{facts, rules},
    story_files::story_to_check,
};
use function_kit::failure::Failure;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use store::audience::PendingKey;

use crate::{
    message::Message,
    ports::{Projections, Stories},
};

/// Parses a message and applies its facts. The whole batch is projected before the first notification, so that a
/// block or a removal later in the batch counts for the messages before it.
pub async fn project(ports: &(impl Projections + Stories), body: &str) -> Result<Message, Failure> {
    let message = Message::parse(body)?;
    if let Message::Change(received) = &message {
        let change = &received.change;
        let committed_at = Timestamp::from_millisecond(change.commit_timestamp_ms).unwrap_or(Timestamp::MIN);
        let facts = facts(received);
        try_join_all(facts.iter().map(|fact| ports.apply(fact, committed_at))).await?;
        if change.change_kind == ChangeKind::Removed {
            remove_pending(ports, received).await?;
        }
        // Behind the facts, which its receiver reads. For repeated and superseded changes, too: a process may have ended in
        // between.
        if let Some(story) = story_to_check(&facts) {
            ports.check_files(story).await?;
        }
    }
    Ok(message)
}

/// Removes the pending events of a removed edge.
async fn remove_pending(ports: &impl Projections, received: &ReceivedChange) -> Result<(), Failure> {
    let change = &received.change;
    let Some(ends) = &change.ends else { return Ok(()) };
    let mut keys = Vec::new();
    for label in &change.labels.removed {
        let (source, target) = rules::awaited_vertices(label);
        keys.extend(source.then(|| PendingKey::WaitingFor(ends.from.clone())));
        keys.extend(target.then(|| PendingKey::WaitingFor(ends.to.clone())));
        if rules::for_label(label).any(rules::targets_followers) {
            keys.push(PendingKey::RecentBy(ends.from.clone()));
        }
    }
    let removals = keys.iter().map(|key| ports.remove_pending(key, &change.entity_id, received.position()));
    try_join_all(removals).await?;
    Ok(())
}
