//! Step 3: from recipients to their inboxes and the endpoints of their devices.

use std::collections::{BTreeSet, HashMap};

use domain::push::{Delivery, Event, Notification, PersonPair, Registers, Relation, Row, Rule, TemplateArgs};
use function_kit::{
    failure::{Failure, Kind},
    logs::user_hash,
    metrics::{Metrics, Unit},
};
use futures_util::{StreamExt, future::join_all, stream};
use jiff::{SignedDuration, Timestamp};
use store::{
    devices::{Device, RemovalOutcome},
    ledger::{Claim, Entry},
};
use tracing::{info, warn};

use crate::{inbox, ports::Ports, publish_error::PublishError, suppression::Suppression};

/// Number of recipients served in parallel.
const PARALLEL_RECIPIENTS: usize = 48;
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

/// Result of a publication to one device.
enum Outcome {
    Sent,
    DeviceRemoved,
    Failed(Failure),
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
        let sends = stream::iter(&others).map(|recipient| self.send_to(recipient, &between));
        let mut outcomes = sends.buffer_unordered(PARALLEL_RECIPIENTS).collect::<Vec<_>>().await;
        outcomes.push(inbox::remove_if_withdrawn(self.ports, self.event, self.rule, &others).await);
        combine(outcomes)
    }

    async fn send_to(&self, recipient: &str, between: &HashMap<Row, Registers>) -> Result<(), Failure> {
        let entry = Entry { event: self.event, rule: &self.rule.id, recipient };
        let relation = between.get(&Row::PersonPair(PersonPair::of(self.actor, recipient)));
        let relation = relation.map(|registers| Relation::of(recipient, registers)).unwrap_or_default();
        if relation.blocked {
            return self.suppress(&entry, Suppression::Blocked).await;
        }
        if relation.muted {
            return self.suppress(&entry, Suppression::Muted).await;
        }
        let targets = self.ports.delivery_targets(recipient).await?;
        if targets.is_erased {
            // Nothing is stored about them, not even an outcome.
            Suppression::Erased.count(self.metrics);
            return Ok(());
        }
        let now = self.ports.now();
        let is_silent = match targets.preferences.delivery(self.rule.category, now) {
            Delivery::None => return self.suppress(&entry, Suppression::Preference).await,
            Delivery::Silent => true,
            Delivery::Normal => false,
        };
        if self.event.time_left(self.rule, now).is_none() {
            return self.suppress(&entry, Suppression::Expired).await;
        }
        let until = now.checked_add(CLAIM_DURATION).map_err(|error| Failure::bug("claim a notification", error))?;
        let nonce = self.ports.nonce()?;
        match self.ports.claim(&entry, &nonce, now, until).await? {
            Claim::Settled => {
                Suppression::Settled.count(self.metrics);
                Ok(())
            }
            Claim::Held => Err(Failure::transient("claim a notification", "another invocation holds the claim")),
            Claim::Claimed { sent } if targets.devices.is_empty() => {
                let added = self.ports.add_to_inbox(recipient, self.rule, self.event, self.actor).await;
                Suppression::NoDevice.count(self.metrics);
                let outcome = added.is_ok().then_some(Suppression::NoDevice.into_str());
                self.ports.finish_claim(&entry, &nonce, &sent, outcome).await?;
                added
            }
            Claim::Claimed { sent } => match self.message(recipient, is_silent, now).await {
                Ok(message) => self.send_to_devices(&entry, &nonce, &targets.devices, sent, &message).await,
                Err(failure) => {
                    // Release the claim, so that a retry need not wait for its end.
                    self.ports.finish_claim(&entry, &nonce, &sent, None).await?;
                    Err(failure)
                }
            },
        }
    }

    /// Adds the notification to the recipient's inbox. Returns the message for the devices, with the number of unread ones.
    async fn message(&self, recipient: &str, is_silent: bool, now: Timestamp) -> Result<String, Failure> {
        let Self { rule, event, actor, args, .. } = self;
        self.ports.add_to_inbox(recipient, rule, event, actor).await?;
        let badge = Some(self.ports.unread(recipient).await?);
        let message = Notification { rule, event, actor, args, badge }.sns_message(is_silent, now);
        message.map_err(|error| Failure::bug("write a notification", error))
    }

    /// Publishes to the devices that are not in `sent`, and records the result in the ledger.
    async fn send_to_devices(
        &self,
        entry: &Entry<'_>,
        nonce: &str,
        devices: &[Device],
        mut sent: BTreeSet<String>,
        message: &str,
    ) -> Result<(), Failure> {
        let remaining: Vec<_> = devices.iter().filter(|device| !sent.contains(&device.id)).collect();
        let outcomes = join_all(remaining.iter().map(|device| self.publish(device, message))).await;
        let mut failures = Vec::new();
        for (device, outcome) in remaining.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Sent => drop(sent.insert(device.id.clone())),
                Outcome::DeviceRemoved => {}
                Outcome::Failed(failure) => failures.push(Err(failure)),
            }
        }
        let outcome = failures.is_empty().then_some(if sent.is_empty() { "unreachable" } else { "sent" });
        let (event, rule, user) = (&self.event.id, &self.rule.id, user_hash(entry.recipient));
        if !self.ports.finish_claim(entry, nonce, &sent, outcome).await? {
            warn!(event, rule, user, "claim expired before the result was recorded");
        }
        info!(event, rule, user, devices = sent.len(), outcome, "notified");
        combine(failures)
    }

    async fn publish(&self, device: &Device, message: &str) -> Outcome {
        let error = match self.ports.publish(&device.endpoint_arn, message).await {
            Ok(()) => {
                self.metrics.count("Sent", 1);
                let latency = self.ports.now().duration_since(self.event.committed_at);
                self.metrics.observe("CommitToAccepted", Unit::Milliseconds, latency.as_secs_f64() * 1000.0);
                return Outcome::Sent;
            }
            Err(error) => error,
        };
        let removal = match error {
            PublishError::Failed { kind, failure } => {
                self.metrics.count_kind("Failures", ("Kind", kind), 1);
                return Outcome::Failed(failure);
            }
            PublishError::EndpointDisabled => self.remove_device(device, "endpoint_disabled").await,
            PublishError::EndpointGone => self.remove_device(device, "endpoint_gone").await,
        };
        match removal {
            Ok(()) => Outcome::DeviceRemoved,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    /// Deletes the device's row, unless the device has registered again since it was read. `device-api` deletes endpoints
    /// without a row: here, another user could have taken over the endpoint since. Beyond the limit of an hour, the device
    /// stays, and the next notification tries again.
    async fn remove_device(&self, device: &Device, kind: &'static str) -> Result<(), Failure> {
        self.metrics.count_kind("Failures", ("Kind", kind), 1);
        match self.ports.remove_device(device).await? {
            RemovalOutcome::Removed => {
                info!(user = user_hash(&device.user), device = device.id, kind, "device removed")
            }
            RemovalOutcome::LimitReached => self.metrics.count("RemovalsRefused", 1),
            RemovalOutcome::RegisteredAgain => {}
        }
        Ok(())
    }

    /// Records the suppression in the ledger, so that a replay does not notify after all.
    async fn suppress(&self, entry: &Entry<'_>, reason: Suppression) -> Result<(), Failure> {
        reason.count(self.metrics);
        self.ports.record_outcome(entry, reason.into_str()).await
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
