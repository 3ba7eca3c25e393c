//! Erases a user's devices, with their endpoints, and preferences.

use domain::account::DeviceErasure;
use function_kit::{failure::Failure, nonce::nonce};
use jiff::Timestamp;
use store::devices::{Device, WriteOutcome};
use tracing::info;

use crate::ports::{Devices, Endpoints, Ports};

/// Erases what is stored for the user of the message. From then on nothing is stored for them. The erasure is to be handed
/// back afterwards.
pub async fn erase<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    now: Timestamp,
    message: &DeviceErasure,
) -> Result<(), Failure> {
    let user = &message.erasure.user;
    // First, so that no device is stored after the list is read.
    ports.devices.mark_erased(user, now).await?;
    for device in ports.devices.list(user).await? {
        // Before the row, so that a repeated erasure finds the endpoint.
        delete_endpoint(ports, now, user, &device).await?;
        ports.devices.delete_of_erased(&device).await?;
    }
    ports.devices.delete_preferences(user).await?;
    info!("erased devices");
    Ok(())
}

/// Deletes the endpoint, as a collection does, unless another user has signed in on the phone.
async fn delete_endpoint<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    now: Timestamp,
    user: &str,
    device: &Device,
) -> Result<(), Failure> {
    let Device { token, endpoint_arn, .. } = device;
    let claim = ports.devices.token_claim(token).await?;
    let holder = claim.as_ref().and_then(|claim| claim.holder.as_ref());
    if holder.is_some_and(|(holder, _)| holder != user) {
        return Ok(());
    }
    // The note replaces the user's id in the row of the token.
    match ports.devices.begin_collection(token, claim.as_ref(), endpoint_arn, &nonce()?, now).await? {
        // An earlier platform application is no longer there.
        WriteOutcome::Stored if !ports.endpoints.contains(endpoint_arn) => Ok(()),
        WriteOutcome::Stored => ports.endpoints.delete(endpoint_arn).await,
        WriteOutcome::Conflict => Err(Failure::transient("erase a device", "another user is signing in on the phone")),
    }
}
