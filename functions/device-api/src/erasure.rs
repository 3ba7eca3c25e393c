//! Erases a user's devices, with their endpoints, and preferences.

use domain::account::DeviceErasure;
use function_kit::{failure::Failure, nonce::nonce};
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::devices::{Device, WriteOutcome};
use tracing::info;

use crate::{
    devices::sign_out,
    ports::{Devices, Endpoints, Ports},
};

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
        sign_out(ports, user, &device.id).await.map_err(failure)?;
        delete_endpoint(ports, now, &device).await?;
    }
    ports.devices.delete_preferences(user).await?;
    info!("erased devices");
    Ok(())
}

/// Deletes the endpoint, as a collection does, unless another user has signed in on the phone.
async fn delete_endpoint<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    now: Timestamp,
    device: &Device,
) -> Result<(), Failure> {
    let Device { token, endpoint_arn, .. } = device;
    let claim = ports.devices.token_claim(token).await?;
    if claim.as_ref().is_some_and(|claim| claim.holder.is_some()) || !ports.endpoints.contains(endpoint_arn) {
        return Ok(());
    }
    let noted = ports.devices.begin_collection(token, claim.as_ref(), endpoint_arn, &nonce()?, now).await?;
    // Otherwise another user is signing in.
    if noted == WriteOutcome::Stored { ports.endpoints.delete(endpoint_arn).await } else { Ok(()) }
}

fn failure(error: HandlerError) -> Failure {
    match error {
        HandlerError::Failure(failure) => failure,
        HandlerError::Problem(problem) | HandlerError::Later(problem, _) => {
            Failure::bug("erase a device", problem.title)
        }
    }
}
