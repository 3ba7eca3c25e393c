//! Entries of the inbox: written when a notification is decided, removed when its edge is.
//!
//! Who gets an entry is recorded under the edge first; then the edge is read again. A removal is projected, then leaves a
//! tombstone at each of these records, and one transaction checks the tombstone and adds the entry. So no entry of a removed
//! edge stays, also if a function crashes meanwhile.
//!
//! Followers are too many for that: an entry is added before the edge is read again, and an edge is removed before its
//! entries are, so one of the two sees the other. After a crash in between, a withdrawn story may stay; `inbox-api` hides it.

use domain::{
    graph::{ChangeKind, EdgeEndpoints, GenerationPosition, ReceivedChange},
    push::{Event, Rule, inbox_group_key, rules},
};
use function_kit::failure::Failure;
use futures_util::{StreamExt, TryStreamExt, stream};
use store::{audience::Followers, inbox::Holder};

use crate::{
    message::{Continuation, FoundBy, InboxWithdrawal, MAX_TURNS},
    ports::{Inbox, Ports},
};

/// Number of inboxes that are changed in parallel.
const PARALLEL_INBOXES: usize = 48;

/// The recipient's place for an edge in the inbox.
pub fn holder(rule: &Rule, source: &str, target: &str, recipient: &str) -> Holder {
    Holder { recipient: recipient.to_owned(), rule: rule.id.clone(), group: inbox_group_key(rule, source, target) }
}

/// Removes the entries of followers if the event's edge was removed while they were added.
pub async fn remove_if_withdrawn(
    ports: &impl Ports,
    event: &Event,
    rule: &Rule,
    recipients: &[String],
) -> Result<(), Failure> {
    if !rules::targets_followers(rule) || ports.edge_exists(event).await? {
        return Ok(());
    }
    remove_from(ports, event, rule, recipients).await
}

/// Removes the entries of these recipients.
pub async fn remove_from(ports: &impl Inbox, event: &Event, rule: &Rule, recipients: &[String]) -> Result<(), Failure> {
    let holders = recipients.iter().map(|recipient| holder(rule, &event.from, &event.to, recipient)).collect();
    remove_all(ports, holders, &event.edge, event.position).await
}

/// Removes the entries of a removed edge.
pub async fn withdraw_removed(ports: &impl Ports, received: &ReceivedChange) -> Result<(), Failure> {
    let change = &received.change;
    let Some(ends) = change.ends.as_ref().filter(|_| change.change_kind == ChangeKind::Removed) else { return Ok(()) };
    for label in change.labels.removed.iter().filter(|label| rules::for_label(label).next().is_some()) {
        withdraw(ports, label, ends, &change.entity_id, received.position(), None).await?;
    }
    Ok(())
}

/// Removes the entries of an event whose edge is gone, as `found_by` has found.
pub async fn withdraw_event(ports: &impl Ports, event: &Event, found_by: Option<FoundBy>) -> Result<(), Failure> {
    let ends = EdgeEndpoints { from: event.from.clone(), to: event.to.clone() };
    withdraw(ports, &event.label, &ends, &event.edge, event.position, found_by).await
}

async fn withdraw(
    ports: &impl Ports,
    label: &str,
    ends: &EdgeEndpoints,
    edge: &str,
    position: GenerationPosition,
    found_by: Option<FoundBy>,
) -> Result<(), Failure> {
    if rules::for_label(label).any(|rule| !rules::targets_followers(rule)) {
        let holders = ports.inbox_holders(edge).await?;
        remove_all(ports, holders, edge, position).await?;
    }
    for rule in rules::for_label(label).filter(|rule| rules::targets_followers(rule)) {
        let page = InboxWithdrawal {
            edge: edge.to_owned(),
            position,
            rule: rule.id.clone(),
            source: ends.from.clone(),
            target: ends.to.clone(),
            after: None,
            number: 0,
            found_by,
        };
        withdraw_from_followers(ports, page).await?;
    }
    Ok(())
}

/// Removes the entries of a page of followers, after the next page is in the queue.
pub async fn withdraw_from_followers(ports: &impl Ports, page: InboxWithdrawal) -> Result<(), Failure> {
    let rule = rules::by_id(&page.rule).ok_or_else(|| Failure::bug("withdraw a notification", "unknown rule"))?;
    let Followers { followers, next } = ports.followers(&page.source, page.after.as_deref()).await?;
    if let Some(after) = next.filter(|_| page.number < MAX_TURNS) {
        let next = InboxWithdrawal { after: Some(after), number: page.number + 1, ..page.clone() };
        ports.enqueue(&Continuation::InboxWithdrawal(next)).await?;
    }
    let holders = followers.iter().map(|(follower, _)| holder(rule, &page.source, &page.target, follower)).collect();
    remove_all(ports, holders, &page.edge, page.position).await
}

async fn remove_all(
    ports: &impl Inbox,
    holders: Vec<Holder>,
    edge: &str,
    position: GenerationPosition,
) -> Result<(), Failure> {
    let remove = |holder: Holder| async move { ports.remove_from_inbox(&holder, edge, position).await };
    stream::iter(holders).map(remove).buffer_unordered(PARALLEL_INBOXES).try_collect().await
}
