//! From a person who is to be told to the phones.

use std::collections::{BTreeSet, HashMap};

use domain::push::{
    Delivery, Event, Notification, PayloadError, PersonPair, Registers, Relation, Row, Rule, TemplateArgs,
};
use function_kit::{
    failure::{Failure, Kind},
    metrics::{Metrics, Unit},
};
use futures_util::{StreamExt, future::join_all, stream};
use jiff::SignedDuration;
use store::{
    devices::Device,
    ledger::{Claim, Entry},
};
use tracing::{info, warn};

use crate::{ports::Ports, reason::Reason, refusal::Refusal};

/// Recipients that are served side by side.
const RECIPIENTS_AT_A_TIME: usize = 48;
/// Longer than the function may run, shorter than the queue hides a message: whoever crashed has let
/// go of its claims when the message comes again.
const CLAIMED_FOR: SignedDuration = SignedDuration::from_secs(60);

/// One notification, for all who are told.
pub struct Telling<'a, P> {
    pub ports: &'a P,
    pub metrics: &'a Metrics,
    pub event: &'a Event,
    pub rule: &'a Rule,
    pub actor: &'a str,
    pub args: TemplateArgs,
}

/// What became of one device.
enum Outcome {
    Reached,
    Forgotten,
    Failed(Failure),
}

impl<P: Ports> Telling<'_, P> {
    /// Tells each of `recipients`, if nothing stands against it. One who cannot be reached now does
    /// not keep the others from it.
    ///
    /// # Errors
    /// If some could not be told; when it is tried again, the others are not told again.
    pub async fn tell(&self, recipients: Vec<String>) -> Result<(), Failure> {
        let all = recipients.len();
        let others: Vec<_> = recipients.into_iter().filter(|recipient| recipient != self.actor).collect();
        if others.len() < all {
            Reason::Own.count(self.metrics);
        }
        let rows: Vec<_> = others.iter().map(|other| Row::PersonPair(PersonPair::of(self.actor, other))).collect();
        let between = self.ports.look_up(&rows).await?;
        let told = stream::iter(&others).map(|recipient| self.tell_one(recipient, &between));
        worst(told.buffer_unordered(RECIPIENTS_AT_A_TIME).collect::<Vec<_>>().await)
    }

    async fn tell_one(&self, recipient: &str, between: &HashMap<Row, Registers>) -> Result<(), Failure> {
        let entry = Entry { event: self.event, rule: &self.rule.id, recipient };
        let relation = between.get(&Row::PersonPair(PersonPair::of(self.actor, recipient)));
        let relation = relation.map(|registers| Relation::of(recipient, registers)).unwrap_or_default();
        if relation.blocked {
            return self.suppress(&entry, Reason::Blocked).await;
        }
        if relation.muted {
            return self.suppress(&entry, Reason::Muted).await;
        }
        let delivery_targets = self.ports.delivery_targets(recipient).await?;
        let now = self.ports.now();
        let is_silent = match delivery_targets.preferences.delivery(self.rule.category, now) {
            Delivery::None => return self.suppress(&entry, Reason::Preference).await,
            Delivery::Silent => true,
            Delivery::Normal => false,
        };
        if delivery_targets.devices.is_empty() {
            return self.suppress(&entry, Reason::NoDevice).await;
        }
        let Self { rule, event, actor, args, .. } = self;
        let message = match (Notification { rule, event, actor, args }).sns_message(is_silent, now) {
            Ok(message) => message,
            Err(PayloadError::Expired) => return self.suppress(&entry, Reason::Expired).await,
            Err(error @ PayloadError::TooLarge) => return Err(Failure::bug("write a notification", error)),
        };
        let until = now.checked_add(CLAIMED_FOR).map_err(|error| Failure::bug("claim a notification", error))?;
        match self.ports.claim(&entry, now, until).await? {
            Claim::Settled => {
                Reason::Settled.count(self.metrics);
                Ok(())
            }
            Claim::Held => Err(Failure::transient("claim a notification", "somebody else has it in hand")),
            Claim::Claimed { sent } => self.send(&entry, &delivery_targets.devices, sent, &message).await,
        }
    }

    /// Sends to all devices that were not reached before, and writes down which were.
    async fn send(
        &self,
        entry: &Entry<'_>,
        devices: &[Device],
        mut sent: BTreeSet<String>,
        message: &str,
    ) -> Result<(), Failure> {
        let left: Vec<_> = devices.iter().filter(|device| !sent.contains(&device.id)).collect();
        let outcomes = join_all(left.iter().map(|device| self.send_one(device, message))).await;
        let mut failures = Vec::new();
        for (device, outcome) in left.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Reached => {
                    sent.insert(device.id.clone());
                }
                Outcome::Forgotten => {}
                Outcome::Failed(failure) => failures.push(Err(failure)),
            }
        }
        let outcome = failures.is_empty().then_some(if sent.is_empty() { "unreachable" } else { "sent" });
        if !self.ports.mark(entry, &sent, outcome).await? {
            // Ours took longer than a claim lasts: somebody else has it now.
            warn!(event = self.event.id, rule = self.rule.id, user = entry.recipient, "the claim ran out");
        }
        info!(
            event = self.event.id,
            rule = self.rule.id,
            user = entry.recipient,
            devices = sent.len(),
            outcome,
            "told"
        );
        worst(failures)
    }

    async fn send_one(&self, device: &Device, message: &str) -> Outcome {
        let refusal = match self.ports.publish(&device.endpoint_arn, message).await {
            Ok(()) => {
                self.metrics.count("Sent", 1);
                let latency = self.ports.now().duration_since(self.event.committed_at);
                self.metrics.observe("CommitToAccepted", Unit::Milliseconds, latency.as_secs_f64() * 1000.0);
                return Outcome::Reached;
            }
            Err(refusal) => refusal,
        };
        let forgotten = match refusal {
            Refusal::Failed { kind, failure } => {
                self.metrics.count_kind("Failures", ("Kind", kind), 1);
                return Outcome::Failed(failure);
            }
            Refusal::Disabled => self.forget(device, true).await,
            Refusal::Gone => self.forget(device, false).await,
        };
        match forgotten {
            Ok(()) => Outcome::Forgotten,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    /// The row goes first, if it is still the same: a device that has registered anew keeps both.
    async fn forget(&self, device: &Device, endpoint_too: bool) -> Result<(), Failure> {
        let kind = if endpoint_too { "endpoint_disabled" } else { "endpoint_gone" };
        self.metrics.count_kind("Failures", ("Kind", kind), 1);
        if self.ports.forget(device).await? {
            info!(user = device.user, device = device.id, kind, "device forgotten");
            if endpoint_too {
                self.ports.delete_endpoint(&device.endpoint_arn).await?;
            }
        }
        Ok(())
    }

    /// Decides for good that somebody is not told, so that a replay does not decide otherwise.
    async fn suppress(&self, entry: &Entry<'_>, reason: Reason) -> Result<(), Failure> {
        reason.count(self.metrics);
        self.ports.settle(entry, reason.as_str()).await
    }
}

/// Of several failures, one that says what to do with the message: while any may pass, it is tried
/// again; then only bugs are left. The others are logged here.
pub fn worst(outcomes: impl IntoIterator<Item = Result<(), Failure>>) -> Result<(), Failure> {
    let mut failures: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() {
        return Ok(());
    }
    let worst = failures.iter().position(|failure| failure.kind != Kind::Bug).unwrap_or_default();
    let worst = failures.swap_remove(worst);
    for failure in failures {
        warn!(kind = failure.kind.as_str(), %failure, "one of several");
    }
    Err(worst)
}
