//! Signing in and out on a phone.
//!
//! A notification goes where a row leads. So a row is written when its endpoint is its owner's, and
//! removed before its endpoint is: whatever fails in between, nobody gets what is another's. What
//! may be left is an endpoint that no row leads to, and whoever registers its token next takes it.

use domain::push::Token;
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::devices::{Device, DeviceTable, Holder, Put};
use tracing::info;

use crate::{
    endpoints::{Endpoints, Owner},
    error::Error,
    registration::register,
    request::Registration,
};

/// Devices of one user at most: whoever signs in on one more loses the one that was seen last the
/// longest time ago.
pub const MAX_DEVICES: usize = 20;

/// How often to look again if somebody else changes the row at the same time.
const ATTEMPTS: usize = 3;

/// What signing in and out reads and writes.
pub struct Ports {
    pub table: DeviceTable,
    pub endpoints: Endpoints,
}

/// Makes sure that `user`, and nobody else, is reached by the token of `registration`.
pub async fn sign_in(
    ports: &Ports,
    now: Timestamp,
    user: &str,
    id: &str,
    registration: Registration,
) -> Result<Device, Error> {
    let Registration { token, platform, language } = registration;
    let owner = Owner { user: user.to_owned(), device: id.to_owned() };
    for _ in 0..ATTEMPTS {
        let (known, others) = split(ports.table.list(user).await?, id);
        let holders = take_token_away(ports, &owner, &token).await?;
        let candidates =
            holders.iter().map(|holder| &holder.endpoint_arn).chain(known.iter().map(|known| &known.endpoint_arn));
        let candidate = candidates.filter(|candidate| ports.endpoints.has(candidate)).next().cloned();
        let registered = register(&ports.endpoints, &owner, &token, candidate).await?;
        if let Some(Owner { user, device: id }) = registered.before {
            // The index does not know everything at once; the endpoint does.
            let holder = Holder { user, id, endpoint_arn: registered.endpoint_arn.clone() };
            ports.table.take_away(&token, &holder).await?;
        }
        let device = Device {
            user: user.to_owned(),
            id: id.to_owned(),
            endpoint_arn: registered.endpoint_arn,
            token: token.clone(),
            platform,
            language: language.clone(),
            last_seen: now,
        };
        if ports.table.put(&device, known.as_ref()).await? == Put::Changed {
            continue;
        }
        info!(user, device = id, "signed in");
        if let Some(superseded) = known.filter(|known| known.endpoint_arn != device.endpoint_arn) {
            ports.endpoints.release(&superseded.endpoint_arn, &owner).await?;
        }
        drop_oldest(ports, others).await?;
        return Ok(device);
    }
    Err(Failure::transient("store a device", "it was changed time and again").into())
}

/// Makes sure that `user` is not reached by the device any more. A sign-in at the same time, such
/// as one with a newer token, loses: no notification is better than a stranger's.
pub async fn sign_out(ports: &Ports, user: &str, id: &str) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let Some(device) = ports.table.get(user, id).await? else { return Ok(()) };
        if remove(ports, &device).await? {
            info!(user, device = id, "signed out");
            return Ok(());
        }
    }
    Err(Failure::transient("forget a device", "it was changed time and again").into())
}

/// Removes the rows of all others who have `token`; tells whose they were.
async fn take_token_away(ports: &Ports, owner: &Owner, token: &Token) -> Result<Vec<Holder>, Error> {
    let mut holders = ports.table.holders(token).await?;
    holders.retain(|holder| (&holder.user, &holder.id) != (&owner.user, &owner.device));
    for holder in &holders {
        ports.table.take_away(token, holder).await?;
    }
    Ok(holders)
}

/// Removes those that are too many with one more.
async fn drop_oldest(ports: &Ports, mut others: Vec<Device>) -> Result<(), Error> {
    others.sort_by_key(|device| device.last_seen);
    let too_many = (others.len() + 1).saturating_sub(MAX_DEVICES);
    for device in &others[..too_many] {
        remove(ports, device).await?;
    }
    Ok(())
}

/// Removes the row, if it still is as it was seen, and then its endpoint; tells whether it was.
async fn remove(ports: &Ports, device: &Device) -> Result<bool, Error> {
    let removed = ports.table.remove(device).await?;
    if removed {
        let owner = Owner { user: device.user.clone(), device: device.id.clone() };
        ports.endpoints.release(&device.endpoint_arn, &owner).await?;
    }
    Ok(removed)
}

/// The device `id`, and the others.
fn split(devices: Vec<Device>, id: &str) -> (Option<Device>, Vec<Device>) {
    let (mut known, others): (Vec<_>, Vec<_>) = devices.into_iter().partition(|device| device.id == id);
    (known.pop(), others)
}
