//! Signing in and out on a device.
//!
//! Notifications go to the endpoint in a user's row. So a row is written after its endpoint belongs to the user, and
//! deleted before its endpoint is. If a request fails in between, no user receives notifications of another. An
//! endpoint without a row may be left over; the next registration of its token takes it over.

use api::DeviceRegistration;
use domain::push::Token;
use function_kit::failure::Failure;
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::devices::{Device, DeviceTable, Holder, WriteOutcome};
use tracing::{info, instrument};

use crate::{
    endpoints::{Endpoints, Owner},
    registration::register,
};

/// Maximum number of devices per user. A sign-in beyond it removes the device with the oldest `last_seen`.
pub const MAX_DEVICES: usize = 20;

/// Number of attempts when another request changes the row at the same time.
const ATTEMPTS: usize = 3;

/// Table and endpoints.
pub struct Ports {
    pub table: DeviceTable,
    pub endpoints: Endpoints,
}

/// Registers the token in `registration` for `user`, and for no other user.
#[instrument(level = "error", skip_all, fields(user, device = id))]
pub async fn sign_in(
    ports: &Ports,
    now: Timestamp,
    user: &str,
    id: &str,
    registration: DeviceRegistration,
) -> Result<Device, HandlerError> {
    let DeviceRegistration { token, platform, language } = registration;
    let owner = Owner { user: user.to_owned(), device: id.to_owned() };
    for _ in 0..ATTEMPTS {
        let (current, others): (Vec<_>, _) =
            ports.table.list(user).await?.into_iter().partition(|device: &Device| device.id == id);
        let current = current.into_iter().next();
        let holders = revoke_token(ports, &owner, &token).await?;
        let mut candidates =
            holders.iter().map(|holder| &holder.endpoint_arn).chain(current.iter().map(|device| &device.endpoint_arn));
        let candidate = candidates.find(|arn| ports.endpoints.contains(arn)).cloned();
        // The index by token is eventually consistent and may miss a holder. The endpoint names its owner.
        let revoke = async |previous: Owner, endpoint_arn: &str| {
            let holder = Holder { user: previous.user, id: previous.device, endpoint_arn: endpoint_arn.to_owned() };
            ports.table.delete_holder(&token, &holder).await
        };
        let endpoint_arn = register(&ports.endpoints, &owner, &token, candidate, revoke).await?;
        let device = Device {
            user: user.to_owned(),
            id: id.to_owned(),
            endpoint_arn,
            token: token.clone(),
            platform,
            language: language.clone(),
            last_seen: now,
        };
        if ports.table.put(&device, current.as_ref()).await? == WriteOutcome::Conflict {
            continue;
        }
        info!("signed in");
        if let Some(superseded) = current.filter(|current| current.endpoint_arn != device.endpoint_arn) {
            ports.endpoints.release(&superseded.endpoint_arn, &owner).await?;
        }
        remove_oldest(ports, others).await?;
        return Ok(device);
    }
    Err(Failure::transient("store a device", "other requests changed the row each time").into())
}

/// Removes the device. A concurrent sign-in, such as one with a newer token, is removed as well: a missing
/// notification is better than one for the wrong person.
#[instrument(level = "error", skip_all, fields(user, device = id))]
pub async fn sign_out(ports: &Ports, user: &str, id: &str) -> Result<(), HandlerError> {
    for _ in 0..ATTEMPTS {
        let Some(device) = ports.table.get(user, id).await? else { return Ok(()) };
        if remove(ports, &device).await? {
            info!("signed out");
            return Ok(());
        }
    }
    Err(Failure::transient("remove a device", "other requests changed the row each time").into())
}

/// Deletes the rows of all other devices with this token. Returns them.
async fn revoke_token(ports: &Ports, owner: &Owner, token: &Token) -> Result<Vec<Holder>, Failure> {
    let mut holders = ports.table.holders(token).await?;
    holders.retain(|holder| (&holder.user, &holder.id) != (&owner.user, &owner.device));
    for holder in &holders {
        ports.table.delete_holder(token, holder).await?;
    }
    Ok(holders)
}

/// Removes the oldest of the user's other devices, so that [`MAX_DEVICES`] are left with the new one.
async fn remove_oldest(ports: &Ports, mut others: Vec<Device>) -> Result<(), HandlerError> {
    others.sort_by_key(|device| device.last_seen);
    let excess = (others.len() + 1).saturating_sub(MAX_DEVICES);
    for device in &others[..excess] {
        remove(ports, device).await?;
    }
    Ok(())
}

/// Deletes the row, then the endpoint. `false` if the row has changed; then both stay.
async fn remove(ports: &Ports, device: &Device) -> Result<bool, HandlerError> {
    let is_removed = ports.table.delete_if_unchanged(device).await?;
    if is_removed {
        let owner = Owner { user: device.user.clone(), device: device.id.clone() };
        ports.endpoints.release(&device.endpoint_arn, &owner).await?;
    }
    Ok(is_removed)
}
