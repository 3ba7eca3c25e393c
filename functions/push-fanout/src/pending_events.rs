//! Processes the events that waited for a fact. FIFO groups are not ordered among each other: an edge can arrive before
//! the owner or the visibility of its vertices, and a story before an older follow.

use domain::{
    graph::{Change, ChangeKind},
    push::{Row, followed_before, rules, vertex_with_visibility},
};
use function_kit::failure::Failure;
use futures_util::{StreamExt, stream};
use store::audience::{PendingEvent, PendingKey, PendingPage};

use crate::{
    deliver::combine,
    message::{Continuation, PendingEvents},
    notify::Notifier,
    ports::Ports,
};

/// Number of pending events processed in parallel.
const PARALLEL_EVENTS: usize = 8;

impl<P: Ports> Notifier<'_, P> {
    /// Processes the events that waited for a fact of this change. FIFO groups are not ordered among each other: an
    /// edge can arrive before the owner or the visibility of its vertices, and a story before an older follow.
    pub async fn resume_pending(&self, change: &Change, cause: &str) -> Result<(), Failure> {
        if let Some(vertex) = vertex_with_visibility(change) {
            return self.process_pending(vertex, cause, None, 0).await;
        }
        let Some(ends) = change.ends.as_ref().filter(|_| change.change_kind != ChangeKind::Removed) else {
            return Ok(());
        };
        for label in change.labels.added.iter().chain(&change.labels.kept) {
            match label.as_str() {
                "told" | "wrote" => self.process_pending(&ends.to, cause, None, 0).await?,
                "follows" => self.notify_late_follower(&ends.to, &ends.from).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Processes a page of the events that wait for `vertex`, and enqueues the next page.
    pub async fn process_pending(
        &self,
        vertex: &str,
        cause: &str,
        after: Option<&str>,
        number: u32,
    ) -> Result<(), Failure> {
        let key = PendingKey::WaitingFor(vertex.to_owned());
        let PendingPage { events, next } = self.ports.pending_page(&key, after).await?;
        if let Some(after) = next
            && self.may_continue(cause, number)
        {
            let (vertex, cause) = (vertex.to_owned(), cause.to_owned());
            let next = Continuation::PendingEvents(PendingEvents { vertex, cause, after, number: number + 1 });
            self.ports.enqueue(&next).await?;
        }
        let process = async |pending: PendingEvent| {
            // If the event waits for the other vertex only, it is pending there.
            if self.process(&pending.event).await?.contains(vertex) {
                return Ok(());
            }
            self.ports.drop_pending(&key, &pending).await
        };
        combine(stream::iter(events).map(process).buffer_unordered(PARALLEL_EVENTS).collect::<Vec<_>>().await)
    }

    /// Notifies a follower of recent stories of `person`, and of mentions in them, that are newer than the follow, but were
    /// delivered before it.
    async fn notify_late_follower(&self, person: &str, follower: &str) -> Result<(), Failure> {
        let key = PendingKey::RecentBy(person.to_owned());
        let mut after = None;
        loop {
            let PendingPage { events, next } = self.ports.pending_page(&key, after.as_deref()).await?;
            if !events.is_empty() {
                let row = Row::Follower { of: person.to_owned(), follower: follower.to_owned() };
                let follow = self.ports.look_up(std::slice::from_ref(&row)).await?.remove(&row).unwrap_or_default();
                let events = events.iter().map(|pending| &pending.event);
                for event in events.filter(|event| followed_before(&follow, event.position)) {
                    for rule in event.rules() {
                        let is_done = rules::targets_followers(rule) && {
                            let recipients = vec![follower.to_owned()];
                            self.notify(event, rule, &event.from, recipients, None).await?.is_none()
                        };
                        // For others than followers; or the story was hidden since, and the event becomes pending.
                        if !is_done {
                            self.process(event).await?;
                        }
                    }
                }
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }
}
