//! Step 3: from recipients to claimed notifications, in batches.

use std::collections::HashMap;

use domain::push::{
    Delivery, Event, Notification, PayloadError, PersonPair, Registers, Relation, Row, Rule, TemplateArgs,
};
use function_kit::{
    failure::{Failure, Kind},
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
    ports::Ports,
    publish_to_devices::{DevicePublisher, Published},
    suppression::Suppression,
};

/// Number of recipients whose rows are read and written together: as many as DynamoDB accepts in one call.
const BATCH: usize = 25;
/// Number of batches processed in parallel.
const PARALLEL_BATCHES: usize = 8;
/// Number of recipients of a batch to whose devices is published in parallel.
const PARALLEL_RECIPIENTS: usize = 8;
/// Duration of a claim: longer than the function's timeout, shorter than the queue's visibility timeout. So the
/// claims of a crashed invocation have expired when the message is delivered again.
const CLAIM_DURATION: SignedDuration = SignedDuration::from_secs(60);

/// One notification and its context, for any number of recipients.
pub struct Dispatch<'a, P> {
    pub ports: &'a P,
    pub metrics: &'a Metrics,
    pub event: &'a Event,
    pub rule: &'a Rule,
    pub actor: &'a str,
    pub args: TemplateArgs,
}

/// A notification that nothing suppresses.
struct Outgoing<'a> {
    entry: Entry<'a>,
    devices: Vec<Device>,
    is_silent: bool,
}

/// The messages of a batch: with sound, and silent.
#[derive(Default)]
struct Messages {
    normal: Option<String>,
    silent: Option<String>,
}

impl Messages {
    fn get(&self, is_silent: bool) -> &str {
        let message = if is_silent { &self.silent } else { &self.normal };
        message.as_deref().unwrap_or_default()
    }
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
        combine(batches.buffer_unordered(PARALLEL_BATCHES).collect::<Vec<_>>().await)
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
        let (mut messages, mut outgoing) = (Messages::default(), Vec::new());
        for (recipient, targets) in candidates.into_iter().zip(targets) {
            let entry = entry(recipient);
            match targets.and_then(|targets| self.prepare(targets, &mut messages, now)) {
                Ok(Ok((devices, is_silent))) => outgoing.push(Outgoing { entry, devices, is_silent }),
                Ok(Err(reason)) => suppressed.push((entry, reason)),
                Err(failure) => results.push(Err(failure)),
            }
        }
        results.extend(self.suppress(suppressed).await);
        match self.claim(&outgoing, now).await {
            Ok(claims) => results.extend(self.publish(outgoing, claims, &messages).await),
            Err(failure) => results.push(Err(failure)),
        }
        combine(results)
    }

    fn relation(&self, recipient: &str, between: &HashMap<Row, Registers>) -> Relation {
        let registers = between.get(&Row::PersonPair(PersonPair::of(self.actor, recipient)));
        registers.map(|registers| Relation::of(recipient, registers)).unwrap_or_default()
    }

    /// The devices to publish to, and whether silently, or why not. Adds the message, if it is not there yet.
    fn prepare(
        &self,
        targets: DeliveryTargets,
        messages: &mut Messages,
        now: Timestamp,
    ) -> Result<Result<(Vec<Device>, bool), Suppression>, Failure> {
        let DeliveryTargets { devices, preferences } = targets;
        let is_silent = match preferences.delivery(self.rule.category, now) {
            Delivery::None => return Ok(Err(Suppression::Preference)),
            Delivery::Silent => true,
            Delivery::Normal => false,
        };
        if devices.is_empty() {
            return Ok(Err(Suppression::NoDevice));
        }
        let message = if is_silent { &mut messages.silent } else { &mut messages.normal };
        if message.is_none() {
            let Self { rule, event, actor, args, .. } = self;
            *message = match (Notification { rule, event, actor, args }).sns_message(is_silent, now) {
                Ok(message) => Some(message),
                Err(PayloadError::Expired) => return Ok(Err(Suppression::Expired)),
                Err(error @ PayloadError::TooLarge) => return Err(Failure::bug("write a notification", error)),
            };
        }
        Ok(Ok((devices, is_silent)))
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

    /// Publishes the notifications whose claim has succeeded, and records the results in the ledger.
    async fn publish<'a>(
        &self,
        outgoing: Vec<Outgoing<'a>>,
        claims: Vec<(ClaimRequest<'a>, Result<Claim, Failure>)>,
        messages: &Messages,
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
        let publisher = DevicePublisher { ports: self.ports, metrics: self.metrics, event: self.event };
        let publish = async |(Outgoing { devices, is_silent, .. }, claim, sent)| {
            (claim, publisher.publish_to_all(&devices, sent, messages.get(is_silent)).await)
        };
        let published: Vec<_> =
            stream::iter(claimed).map(publish).buffer_unordered(PARALLEL_RECIPIENTS).collect().await;
        let mut ends = Vec::with_capacity(published.len());
        for (claim, Published { sent, failures }) in published {
            let outcome = failures.is_empty().then_some(if sent.is_empty() { "unreachable" } else { "sent" });
            results.extend(failures.into_iter().map(Err));
            ends.push(ClaimResult { claim, sent, outcome });
        }
        let finished = self.ports.finish_claims(&ends).await;
        for (ClaimResult { claim, sent, outcome }, finished) in ends.iter().zip(finished) {
            let (event, rule, user) = (&self.event.id, &self.rule.id, claim.entry.recipient);
            match finished {
                Ok(true) => {}
                Ok(false) => warn!(event, rule, user, "claim expired before the result was recorded"),
                Err(failure) => results.push(Err(failure)),
            }
            info!(event, rule, user, devices = sent.len(), outcome, "notified");
        }
        results
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
