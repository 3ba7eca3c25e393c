//! Step 3: from recipients to claimed notifications and their inboxes, in batches.

use std::collections::{BTreeSet, HashMap};

use domain::push::{Delivery, Event, Notification, PersonPair, Registers, Relation, Row, Rule, TemplateArgs};
use function_kit::{
    failure::{Failure, Kind},
    logs::user_hash,
    metrics::Metrics,
};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use store::{
    devices::{DeliveryTargets, Device},
    ledger::{Claim, ClaimRequest, ClaimResult, Entry},
};
use tracing::{info, warn};

use crate::{
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
/// Duration of a claim: longer than the function's timeout, shorter than the queue's visibility timeout. So the
/// claims of a crashed invocation have expired when the message is delivered again.
pub const CLAIM_DURATION: SignedDuration = SignedDuration::from_secs(60);

/// One notification and its context, for any number of recipients.
pub struct Dispatch<'a, P> {
    pub ports: &'a P,
    pub metrics: &'a Metrics,
    pub event: &'a Event,
    pub rule: &'a Rule,
    pub actor: &'a str,
    pub args: TemplateArgs,
    /// Whether a cooldown suppresses the pushes. The notification is added to inboxes all the same.
    pub is_suppressed: bool,
}

/// A notification that nothing suppresses.
struct Outgoing<'a> {
    entry: Entry<'a>,
    devices: Vec<Device>,
    is_silent: bool,
    hides_content: bool,
}

/// A notification with its claim, and the ids of the devices that have it from earlier attempts.
type Claimed<'a> = (Outgoing<'a>, ClaimRequest<'a>, BTreeSet<String>);

/// What was done for a recipient.
struct Notified {
    /// Ids of the devices that have the message, from earlier attempts, too.
    sent: BTreeSet<String>,
    /// The final outcome; `None` if a retry is needed.
    outcome: Option<&'static str>,
    failures: Vec<Failure>,
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
            let entry = entry(recipient);
            match targets {
                // Nothing is stored about them, not even an outcome.
                Ok(targets) if targets.is_erased => Suppression::Erased.count(self.metrics),
                Ok(targets) => match self.delivery(&targets, now) {
                    Ok(is_silent) => {
                        let DeliveryTargets { devices, preferences, .. } = targets;
                        let hides_content = preferences.hide_content;
                        outgoing.push(Outgoing { entry, devices, is_silent, hides_content });
                    }
                    Err(reason) => suppressed.push((entry, reason)),
                },
                Err(failure) => results.push(Err(failure)),
            }
        }
        results.extend(self.suppress(suppressed).await);
        match self.claim(&outgoing, now).await {
            Ok(claims) => results.extend(self.notify_claimed(outgoing, claims, now).await),
            Err(failure) => results.push(Err(failure)),
        }
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

    /// Claims all entries. Returns each claim with its result.
    async fn claim<'a>(
        &self,
        outgoing: &[Outgoing<'a>],
        now: Timestamp,
    ) -> Result<Vec<(ClaimRequest<'a>, Result<Claim, Failure>)>, Failure> {
        let until = now.checked_add(CLAIM_DURATION).map_err(|error| Failure::bug("claim a notification", error))?;
        let claim =
            |Outgoing { entry, .. }: &Outgoing<'a>| Ok(ClaimRequest { entry: *entry, nonce: self.ports.nonce()? });
        let claims: Vec<_> = outgoing.iter().map(claim).collect::<Result<_, Failure>>()?;
        let results = self.ports.claim_all(&claims, now, until).await;
        Ok(claims.into_iter().zip(results).collect())
    }

    /// Notifies those whose claim has succeeded, and records the results in the ledger.
    async fn notify_claimed<'a>(
        &self,
        outgoing: Vec<Outgoing<'a>>,
        claims: Vec<(ClaimRequest<'a>, Result<Claim, Failure>)>,
        now: Timestamp,
    ) -> Vec<Result<(), Failure>> {
        let (mut results, mut claimed) = (Vec::new(), Vec::new());
        for (outgoing, (request, claim)) in outgoing.into_iter().zip(claims) {
            match claim {
                Ok(Claim::Claimed { sent }) => claimed.push((outgoing, request, sent)),
                Ok(Claim::Settled) => Suppression::Settled.count(self.metrics),
                Ok(Claim::Held) => {
                    let held = Failure::transient("claim a notification", "another invocation holds the claim");
                    results.push(Err(held));
                }
                Err(failure) => results.push(Err(failure)),
            }
        }
        let badges = self.add_to_inboxes(&claimed).await;
        let notify = async |((outgoing, claim, sent), badge)| (claim, self.notify(&outgoing, badge, sent, now).await);
        let notified = stream::iter(claimed.into_iter().zip(badges)).map(notify);
        let notified: Vec<_> = notified.buffer_unordered(PARALLEL_RECIPIENTS).collect().await;
        let mut ends = Vec::with_capacity(notified.len());
        for (claim, Notified { sent, outcome, failures }) in notified {
            results.extend(failures.into_iter().map(Err));
            ends.push(ClaimResult { claim, sent, outcome });
        }
        let finished = self.ports.finish_claims(&ends).await;
        for (ClaimResult { claim, sent, outcome }, finished) in ends.iter().zip(finished) {
            let (event, rule, user) = (&self.event.id, &self.rule.id, user_hash(claim.entry.recipient));
            match finished {
                Ok(true) => {}
                Ok(false) => warn!(event, rule, user, "claim expired before the result was recorded"),
                Err(failure) => results.push(Err(failure)),
            }
            info!(event, rule, user, devices = sent.len(), outcome, "notified");
        }
        results
    }

    /// Adds the notification to the inboxes of all recipients. Returns the number of unread notifications of each, which is
    /// 0 where no push shows it.
    async fn add_to_inboxes(&self, claimed: &[Claimed<'_>]) -> Vec<Result<u32, Failure>> {
        let recipients: Vec<_> = claimed.iter().map(|(outgoing, ..)| outgoing.entry.recipient).collect();
        let added = self.ports.add_to_inboxes(&recipients, self.rule, self.event, self.actor).await;
        let mut badges: Vec<_> = added.into_iter().map(|added| added.map(|()| 0)).collect();
        let has_badge = |(at, (outgoing, ..)): &(usize, &Claimed<'_>)| {
            badges[*at].is_ok() && !outgoing.devices.is_empty() && !self.is_suppressed
        };
        let shown: Vec<_> = claimed.iter().enumerate().filter(has_badge).map(|(at, _)| at).collect();
        if !shown.is_empty() {
            let unread = self.ports.unread(&shown.iter().map(|at| recipients[*at]).collect::<Vec<_>>()).await;
            shown.into_iter().zip(unread).for_each(|(at, unread)| badges[at] = unread);
        }
        badges
    }

    /// Publishes the notification to the devices that are not in `sent`, with the number of unread notifications. A failure
    /// leaves the claim without an outcome, so that a retry need not wait for its end.
    async fn notify(
        &self,
        outgoing: &Outgoing<'_>,
        badge: Result<u32, Failure>,
        sent: BTreeSet<String>,
        now: Timestamp,
    ) -> Notified {
        let devices = &outgoing.devices;
        let reason = match (self.is_suppressed, devices.is_empty()) {
            (true, _) => Some(Suppression::Cooldown),
            (false, true) => Some(Suppression::NoDevice),
            (false, false) => None,
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
    async fn suppress(&self, suppressed: Vec<(Entry<'_>, Suppression)>) -> Vec<Result<(), Failure>> {
        suppressed.iter().for_each(|(_, reason)| reason.count(self.metrics));
        let outcomes: Vec<_> = suppressed.into_iter().map(|(entry, reason)| (entry, reason.into_str())).collect();
        self.ports.record_outcomes(&outcomes).await
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
