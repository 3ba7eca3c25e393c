//! Step 3: from recipients to claimed notifications and their inboxes, in batches.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
};

use domain::push::{Delivery, Event, Notification, PersonPair, Registers, Relation, Row, Rule, TemplateArgs};
use function_kit::{
    failure::{Failure, Kind},
    metrics::Metrics,
};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use store::{
    devices::{DeliveryTargets, Device},
    ledger::Entry,
};
use tracing::warn;

use crate::{
    claims::{ClaimedRecipient, Claims, Notified, Turn},
    inbox,
    ports::Ports,
    publish_to_devices::{DevicePublisher, Published},
    suppression::Suppression,
};

/// Number of recipients whose rows are read and written together: as many as DynamoDB accepts in one call.
const BATCH: usize = 25;
/// Number of batches processed in parallel.
const PARALLEL_BATCHES: usize = 8;
/// Number of recipients of a batch who are notified in parallel.
const PARALLEL_RECIPIENTS: usize = 8;

/// One notification and its context, for any number of recipients.
pub struct Dispatch<'a, P> {
    pub ports: &'a P,
    pub metrics: &'a Metrics,
    pub event: &'a Event,
    pub rule: &'a Rule,
    pub actor: &'a str,
    pub args: TemplateArgs,
    /// The event that holds the cooldown, if it is another one. The notification is added to inboxes all the same.
    pub cooldown: Option<Event>,
}

/// A notification that nothing suppresses.
struct Outgoing<'a> {
    recipient: &'a str,
    devices: Vec<Device>,
    is_silent: bool,
    hides_content: bool,
}

impl<P: Ports> Dispatch<'_, P> {
    /// Notifies each recipient, unless there is a reason for [`Suppression`]. A failure of one does not affect the
    /// others.
    ///
    /// # Errors
    /// If some recipients failed. A retry notifies only these.
    pub async fn send(&self, recipients: Vec<String>) -> Result<(), Failure> {
        let total = recipients.len();
        let others: Vec<_> = recipients.into_iter().filter(|recipient| recipient != self.actor).collect();
        if others.len() < total {
            Suppression::Own.count(self.metrics);
        }
        let rows: Vec<_> = others.iter().map(|other| Row::PersonPair(PersonPair::of(self.actor, other))).collect();
        let between = self.ports.look_up(&rows).await?;
        let batches = stream::iter(others.chunks(BATCH)).map(|batch| self.send_to_batch(batch, &between));
        let mut outcomes = batches.buffer_unordered(PARALLEL_BATCHES).collect::<Vec<_>>().await;
        outcomes.push(inbox::remove_if_withdrawn(self.ports, self.event, self.rule, &others).await);
        combine(outcomes)
    }

    async fn send_to_batch(&self, recipients: &[String], between: &HashMap<Row, Registers>) -> Result<(), Failure> {
        let entry = |recipient| Entry { event: self.event, rule: &self.rule.id, recipient };
        let (mut results, mut suppressed, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
        for recipient in recipients {
            match self.relation(recipient, between) {
                Relation { blocked: true, .. } => suppressed.push((entry(recipient), Suppression::Blocked)),
                Relation { muted: true, .. } => suppressed.push((entry(recipient), Suppression::Muted)),
                _ => candidates.push(recipient.as_str()),
            }
        }
        let targets = self.ports.delivery_targets(&candidates).await;
        let now = self.ports.now();
        let mut outgoing = Vec::new();
        for (recipient, targets) in candidates.into_iter().zip(targets) {
            match targets {
                // Nothing is stored about them, not even an outcome.
                Ok(targets) if targets.is_erased => Suppression::Erased.count(self.metrics),
                Ok(targets) => match self.delivery(&targets, now) {
                    Ok(is_silent) => {
                        let DeliveryTargets { devices, preferences, .. } = targets;
                        let hides_content = preferences.hide_content;
                        outgoing.push(Outgoing { recipient, devices, is_silent, hides_content });
                    }
                    Err(reason) => suppressed.push((entry(recipient), reason)),
                },
                Err(failure) => results.push(Err(failure)),
            }
        }
        results.extend(self.suppress(suppressed, now).await);
        results.extend(self.claim_and_notify(outgoing, now).await);
        combine(results)
    }

    fn relation(&self, recipient: &str, between: &HashMap<Row, Registers>) -> Relation {
        let registers = between.get(&Row::PersonPair(PersonPair::of(self.actor, recipient)));
        registers.map(|registers| Relation::of(recipient, registers)).unwrap_or_default()
    }

    /// Whether the notification is silent, or why there is none.
    fn delivery(&self, targets: &DeliveryTargets, now: Timestamp) -> Result<bool, Suppression> {
        let is_silent = match targets.preferences.delivery(self.rule.category, now) {
            Delivery::None => return Err(Suppression::Preference),
            Delivery::Silent => true,
            Delivery::Normal => false,
        };
        if self.event.time_left(self.rule, now).is_none() {
            return Err(Suppression::Expired);
        }
        Ok(is_silent)
    }

    /// Claims recipients, notifies those whose claim has succeeded, and records the results in the ledger.
    async fn claim_and_notify(&self, outgoing: Vec<Outgoing<'_>>, now: Timestamp) -> Vec<Result<(), Failure>> {
        let Self { ports, event, rule, cooldown, .. } = self;
        let claims = Claims { ports: *ports, event, rule: &rule.id, cooldown: cooldown.as_ref() };
        let recipients: Vec<_> = outgoing.iter().map(|outgoing| outgoing.recipient).collect();
        let claimed = match claims.claim(&recipients, now).await {
            Ok(claimed) => claimed,
            Err(failure) => return vec![Err(failure)],
        };
        let (mut results, mut ready) = (Vec::new(), Vec::new());
        for (outgoing, claimed) in outgoing.into_iter().zip(claimed) {
            match claimed {
                Ok(Some(claimed)) => ready.push((outgoing, claimed)),
                Ok(None) => Suppression::Settled.count(self.metrics),
                Err(failure) => results.push(Err(failure)),
            }
        }
        let badges = self.add_to_inboxes(&ready).await;
        let notify = |((outgoing, claimed), badge)| self.notify_claimed(outgoing, claimed, badge, now);
        let notified = stream::iter(ready.into_iter().zip(badges)).map(notify);
        results.extend(claims.finish(notified.buffer_unordered(PARALLEL_RECIPIENTS).collect().await).await);
        results
    }

    /// Adds the notification to the inboxes of all recipients. Returns the number of unread notifications of each, which is
    /// 0 where no push shows it.
    async fn add_to_inboxes(&self, claimed: &[(Outgoing<'_>, ClaimedRecipient<'_>)]) -> Vec<Result<u32, Failure>> {
        let recipients: Vec<_> = claimed.iter().map(|(outgoing, _)| outgoing.recipient).collect();
        let added = self.ports.add_to_inboxes(&recipients, self.rule, self.event, self.actor).await;
        let mut badges: Vec<_> = added.into_iter().map(|added| added.map(|()| 0)).collect();
        let has_badge = |(at, (outgoing, claimed)): &(usize, &(Outgoing<'_>, ClaimedRecipient<'_>))| {
            badges[*at].is_ok() && !outgoing.devices.is_empty() && matches!(claimed.turn, Ok(Turn::Push))
        };
        let shown: Vec<_> = claimed.iter().enumerate().filter(has_badge).map(|(at, _)| at).collect();
        if !shown.is_empty() {
            let unread = self.ports.unread(&shown.iter().map(|at| recipients[*at]).collect::<Vec<_>>()).await;
            shown.into_iter().zip(unread).for_each(|(at, unread)| badges[at] = unread);
        }
        badges
    }

    /// Gives a claimed recipient what the claims allow.
    async fn notify_claimed<'b>(
        &self,
        outgoing: Outgoing<'b>,
        mut claimed: ClaimedRecipient<'b>,
        badge: Result<u32, Failure>,
        now: Timestamp,
    ) -> (ClaimedRecipient<'b>, Notified) {
        let sent = mem::take(&mut claimed.sent);
        let notified = match mem::replace(&mut claimed.turn, Ok(Turn::InboxOnly)) {
            Ok(turn) => self.notify(&outgoing, turn, badge, sent, now).await,
            Err(failure) => Notified { sent, outcome: None, failures: vec![failure] },
        };
        (claimed, notified)
    }

    /// Publishes the notification to the devices that are not in `sent`, with the number of unread notifications. A failure
    /// leaves the claim without an outcome, so that a retry need not wait for its end.
    async fn notify(
        &self,
        outgoing: &Outgoing<'_>,
        turn: Turn,
        badge: Result<u32, Failure>,
        sent: BTreeSet<String>,
        now: Timestamp,
    ) -> Notified {
        let devices = &outgoing.devices;
        let reason = match (turn, devices.is_empty()) {
            (Turn::InboxOnly, _) => Some(Suppression::Cooldown),
            (Turn::Push, true) => Some(Suppression::NoDevice),
            (Turn::Push, false) => None,
        };
        if badge.is_ok()
            && let Some(reason) = reason
        {
            reason.count(self.metrics);
            return Notified { sent, outcome: Some(reason.into_str()), failures: Vec::new() };
        }
        let message = match badge.and_then(|badge| self.message(outgoing, badge, now)) {
            Ok(message) => message,
            Err(failure) => return Notified { sent, outcome: None, failures: vec![failure] },
        };
        let publisher = DevicePublisher { ports: self.ports, metrics: self.metrics, event: self.event };
        let Published { sent, failures } = publisher.publish_to_all(devices, sent, &message).await;
        let outcome = failures.is_empty().then_some(if sent.is_empty() { "unreachable" } else { "sent" });
        Notified { sent, outcome, failures }
    }

    /// The message for the devices.
    fn message(&self, outgoing: &Outgoing<'_>, badge: u32, now: Timestamp) -> Result<String, Failure> {
        let Self { rule, event, actor, args, .. } = self;
        let Outgoing { is_silent, hides_content, .. } = *outgoing;
        let notification = Notification { rule, event, actor, args, hides_content, badge: Some(badge) };
        let message = notification.sns_message(is_silent, now);
        message.map_err(|error| Failure::bug("write a notification", error))
    }

    /// Records suppressions in the ledger, so that a replay does not notify after all.
    async fn suppress(&self, suppressed: Vec<(Entry<'_>, Suppression)>, now: Timestamp) -> Vec<Result<(), Failure>> {
        suppressed.iter().for_each(|(_, reason)| reason.count(self.metrics));
        let outcomes: Vec<_> = suppressed.into_iter().map(|(entry, reason)| (entry, reason.into_str())).collect();
        self.ports.record_outcomes(&outcomes, now).await
    }
}

/// Combines failures into the one that decides about the message: a transient one if there is any, else a bug. Logs
/// the others.
pub fn combine(outcomes: impl IntoIterator<Item = Result<(), Failure>>) -> Result<(), Failure> {
    let mut failures: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() {
        return Ok(());
    }
    let index = failures.iter().position(|failure| failure.kind != Kind::Bug).unwrap_or_default();
    let combined = failures.swap_remove(index);
    for failure in failures {
        warn!(kind = failure.kind.as_str(), %failure, "one of several failures");
    }
    Err(combined)
}
