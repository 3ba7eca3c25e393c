//! The first step: what a message says goes into the projections.

use domain::{
    graph::{Change, ChangeKind},
    push::{facts, rules},
};
use function_kit::failure::Failure;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use store::audience::PendingKey;

use crate::{message::Message, ports::Projections};

/// Reads a message and keeps what it says. Nobody is told of anything yet, so that what comes after
/// it in the batch (it was taken back, somebody was blocked) is known when they are.
pub async fn prepare(ports: &impl Projections, body: &str) -> Result<Message, Failure> {
    let message = Message::parse(body)?;
    if let Message::Change(received) = &message {
        let change = &received.change;
        let committed_at = Timestamp::from_millisecond(change.commit_timestamp_ms).unwrap_or(Timestamp::MIN);
        let facts = facts(change);
        try_join_all(facts.iter().map(|fact| ports.learn(fact, committed_at))).await?;
        if change.change_kind == ChangeKind::Removed {
            forget_notes(ports, change).await?;
        }
    }
    Ok(message)
}

/// Nobody is told any more of an edge that was removed: takes it off the shelves.
async fn forget_notes(ports: &impl Projections, change: &Change) -> Result<(), Failure> {
    let Some(ends) = &change.ends else { return Ok(()) };
    let mut shelves = Vec::new();
    for label in &change.labels.removed {
        let (source, target) = rules::awaited_vertices(label);
        shelves.extend(source.then(|| PendingKey::WaitingFor(ends.from.clone())));
        shelves.extend(target.then(|| PendingKey::WaitingFor(ends.to.clone())));
        if rules::for_label(label).any(rules::targets_followers) {
            shelves.push(PendingKey::RecentBy(ends.from.clone()));
        }
    }
    try_join_all(
        shelves.iter().map(|pending_key| ports.remove_pending(pending_key, &change.entity_id, change.position)),
    )
    .await?;
    Ok(())
}
