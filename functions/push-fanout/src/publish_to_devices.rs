//! Step 4: publishes a message to the endpoints of a recipient's devices.

use std::collections::BTreeSet;

use domain::push::Event;
use function_kit::{
    failure::Failure,
    logs::user_hash,
    metrics::{Metrics, Unit},
};
use futures_util::future::join_all;
use store::devices::{Device, RemovalOutcome};
use tracing::info;

use crate::{ports::Ports, publish_error::PublishError};

/// Publishes messages about one event.
pub struct DevicePublisher<'a, P> {
    pub ports: &'a P,
    pub metrics: &'a Metrics,
    pub event: &'a Event,
}

/// Result of the publication to all devices of a recipient.
pub struct Published {
    /// Ids of the devices that have the message, from earlier attempts, too.
    pub sent: BTreeSet<String>,
    pub failures: Vec<Failure>,
}

/// Result of the publication to one device.
enum Outcome {
    Sent,
    DeviceRemoved,
    Failed(Failure),
}

impl<P: Ports> DevicePublisher<'_, P> {
    /// Publishes to the devices that are not in `sent`.
    pub async fn publish_to_all(&self, devices: &[Device], mut sent: BTreeSet<String>, message: &str) -> Published {
        let remaining: Vec<_> = devices.iter().filter(|device| !sent.contains(&device.id)).collect();
        let outcomes = join_all(remaining.iter().map(|device| self.publish(device, message))).await;
        let mut failures = Vec::new();
        for (device, outcome) in remaining.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Sent => drop(sent.insert(device.id.clone())),
                Outcome::DeviceRemoved => {}
                Outcome::Failed(failure) => failures.push(failure),
            }
        }
        Published { sent, failures }
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

    /// Deletes the device's row. If the device has registered again since it was read, that is a transient failure. `device-api` deletes endpoints
    /// without a row: here, another user could have taken over the endpoint since. Beyond the limit of an hour, the device
    /// stays, and the next notification tries again.
    async fn remove_device(&self, device: &Device, kind: &'static str) -> Result<(), Failure> {
        self.metrics.count_kind("Failures", ("Kind", kind), 1);
        match self.ports.remove_device(device).await? {
            RemovalOutcome::Removed => {
                info!(user = user_hash(&device.user), device = device.id, kind, "device removed");
            }
            RemovalOutcome::LimitReached => self.metrics.count("RemovalsRefused", 1),
            // Its message is for the endpoint of the new registration, which a retry reads.
            RemovalOutcome::RegisteredAgain => {
                return Err(Failure::transient("remove a device", "it has registered again"));
            }
        }
        Ok(())
    }
}
