//! Evaluates the notification rules for an event and determines the recipients.

use std::collections::{BTreeMap, BTreeSet};

use domain::push::{Event, Recipients, Resolution, Rule};
use function_kit::failure::Failure;
use store::audience::{PendingEvent, PendingKey};
use tracing::{info, instrument};

use crate::{
    follower_pages::PagePosition, inbox, message::FoundBy, notify::Notifier, ports::Ports, suppression::Suppression,
};

impl<P: Ports> Notifier<'_, P> {
    /// Evaluates all rules for an event and keeps it pending for the vertices whose facts are missing. Returns these
    /// vertices.
    #[instrument(level = "error", skip_all, fields(event = event.id))]
    pub async fn process(&self, event: &Event) -> Result<BTreeSet<String>, Failure> {
        if self.is_expired_for_all(event) {
            Suppression::Expired.count(self.metrics);
            return Ok(BTreeSet::new());
        }
        // Vertices and nonces.
        let mut pending = BTreeMap::new();
        let waits_for = loop {
            let Some(waits_for) = self.evaluate(event).await? else {
                Suppression::Withdrawn.count(self.metrics);
                inbox::withdraw_event(self.ports, event, None).await?;
                break BTreeSet::new();
            };
            let missing: Vec<_> = waits_for.iter().filter(|vertex| !pending.contains_key(*vertex)).cloned().collect();
            if missing.is_empty() {
                break waits_for;
            }
            // Store the pending event, then read the facts again. A writer of facts does both in the opposite order,
            // so one of the two sees the other's write.
            for vertex in missing {
                let nonce = self.ports.nonce()?;
                self.ports.add_pending(&PendingKey::WaitingFor(vertex.clone()), event, &nonce).await?;
                pending.insert(vertex, nonce);
            }
        };
        // Only the own ones: another process may have stored the event again, because it saw later facts.
        for (vertex, nonce) in pending.into_iter().filter(|(vertex, _)| !waits_for.contains(vertex)) {
            let stored = PendingEvent { event: event.clone(), nonce: Some(nonce) };
            self.ports.drop_pending(&PendingKey::WaitingFor(vertex), &stored).await?;
        }
        Ok(waits_for)
    }

    /// Notifies all recipients that the current facts determine. Returns the vertices whose facts are missing for the
    /// others, or `None` if the edge is gone.
    async fn evaluate(&self, event: &Event) -> Result<Option<BTreeSet<String>>, Failure> {
        let Some(facts) = self.facts(event).await? else { return Ok(None) };
        let mut waits_for = BTreeSet::new();
        for rule in event.rules() {
            let missing = match rule.resolve(event, &facts.source, &facts.target) {
                Resolution::Notify { actor, recipients: Recipients::Persons(persons) } => {
                    self.notify(event, rule, &actor, persons, None).await?
                }
                Resolution::Notify { recipients: Recipients::FollowersOf(person), .. } => {
                    self.ports.add_pending(&PendingKey::RecentBy(person), event, &self.ports.nonce()?).await?;
                    self.notify_followers(event, rule, &PagePosition::first(rule, &facts)).await?
                }
                Resolution::WaitFor(vertex) => Some(vertex),
                Resolution::NotApplicable => None,
            };
            if let Some(vertex) = missing {
                info!(event = event.id, rule = rule.id, vertex, "pending");
                waits_for.insert(vertex);
            }
        }
        Ok(Some(waits_for))
    }

    /// Processes a page after the first. If the story is hidden by now, the event becomes pending. When the story is
    /// visible again, all pages are processed again; the ledger prevents a second notification.
    pub async fn continue_audience(&self, event: &Event, rule: &Rule, page: &PagePosition) -> Result<(), Failure> {
        let Some(facts) = self.facts(event).await? else {
            Suppression::Withdrawn.count(self.metrics);
            let found_by = FoundBy { number: page.number, visible_since: page.visible_since };
            inbox::withdraw_event(self.ports, event, Some(found_by)).await?;
            return Ok(());
        };
        let is_hidden = matches!(rule.resolve(event, &facts.source, &facts.target), Resolution::WaitFor(_));
        if is_hidden || self.notify_followers(event, rule, page).await?.is_some() {
            self.process(event).await?;
        }
        Ok(())
    }

    fn is_expired_for_all(&self, event: &Event) -> bool {
        let now = self.ports.now();
        event.rules().all(|rule| event.time_left(rule, now).is_none())
    }
}
