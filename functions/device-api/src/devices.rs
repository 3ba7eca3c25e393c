//! Signing in and out on a device.
//!
//! A token belongs to one app on one phone. Its endpoint is found or created first and leads to that phone only. Then one
//! transaction writes the device and the claim of its token, and deletes the device that had the token, if both are still
//! as read. So no two users are reached by one token, in any order of calls.
//!
//! If the device that had the token is another user's, it is deleted first, and its endpoint: a message on its way to that
//! endpoint must not arrive once the next user is signed in.
//!
//! Signing out deletes rows only. Between its reads and a deletion of the endpoint, another user could have taken over the
//! token. [`collection`](crate::collection) deletes endpoints without a device.

use api::DeviceRegistration;
use domain::push::Token;
use function_kit::{failure::Failure, logs::user_hash, nonce::nonce};
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::devices::{Device, Holder, RegisterOutcome, TokenClaim};
use tracing::{info, instrument};

use crate::{
    endpoint::Owner,
    ports::{Devices, Endpoints, Ports},
    registration::register,
};

/// Maximum number of devices per user. A sign-in beyond it removes the device with the oldest `last_seen`.
pub const MAX_DEVICES: usize = 20;

/// Number of attempts when other requests change the rows at the same time, and to remove another user's device first.
const ATTEMPTS: usize = 6;

/// Registers the token in `registration` for `user`, and for no other user.
#[instrument(level = "error", skip_all, fields(user = user_hash(user), device = id))]
pub async fn sign_in<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    now: Timestamp,
    user: &str,
    id: &str,
    registration: DeviceRegistration,
) -> Result<Device, HandlerError> {
    let DeviceRegistration { token, platform, language } = registration;
    let owner = Owner { user: user.to_owned(), device: id.to_owned() };
    let mut stale_claim: Option<String> = None;
    for _ in 0..ATTEMPTS {
        let (current, others): (Vec<_>, _) =
            ports.devices.list(user).await?.into_iter().partition(|device: &Device| device.id == id);
        let current = current.into_iter().next();
        let claim = ports.devices.token_claim(&token).await?;
        let is_claim_stale = claim.as_ref().is_some_and(|claim| {
            let is_outdated = claim.is_held_by(user, id)
                && current.as_ref().and_then(|current| current.registration.as_ref()) != Some(&claim.registration);
            is_outdated || stale_claim.as_ref() == Some(&claim.registration)
        });
        let candidate = match claim.as_ref().filter(|_| !is_claim_stale) {
            Some(claim) if claim.holder.as_ref().is_some_and(|(holder, _)| holder != user) => {
                let evicted = ports.devices.evict(&token, claim, &nonce()?, now).await?;
                if evicted == RegisterOutcome::StaleClaim {
                    stale_claim = Some(claim.registration.clone());
                }
                continue;
            }
            Some(TokenClaim { holder: Some(_), endpoint_arn, .. }) => Some(endpoint_arn.clone()),
            Some(TokenClaim { holder: None, endpoint_arn, .. }) => {
                // The collection may delete it at any time.
                if ports.endpoints.contains(endpoint_arn) {
                    ports.endpoints.delete(endpoint_arn).await?;
                }
                None
            }
            None => match revoke_unclaimed(ports, &owner, &token).await? {
                Unclaimed::OfOthers(endpoint_arn) => {
                    ports.devices.begin_collection(&token, claim.as_ref(), &endpoint_arn, &nonce()?, now).await?;
                    continue;
                }
                Unclaimed::Own(endpoint_arn) => Some(endpoint_arn),
                Unclaimed::None => None,
            },
        };
        let own = current.as_ref().filter(|current| current.token == token).map(|current| current.endpoint_arn.clone());
        let is_collected = claim.as_ref().is_some_and(|claim| claim.holder.is_none());
        let candidate = candidate.or(own.filter(|_| !is_collected)).filter(|arn| ports.endpoints.contains(arn));
        // The index by token is eventually consistent and may miss a device of the version before.
        let revoke = async |previous: &Owner, endpoint_arn: &str| {
            let Owner { user, device } = previous.clone();
            let holder = Holder { user, id: device, endpoint_arn: endpoint_arn.to_owned() };
            ports.devices.delete_unclaimed(&token, &holder).await
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
            registration: Some(nonce()?),
        };
        match ports.devices.register(&device, current.as_ref(), claim.as_ref(), is_claim_stale).await? {
            RegisterOutcome::Stored => {
                info!("signed in");
                remove_oldest(ports, others).await?;
                return Ok(device);
            }
            RegisterOutcome::Conflict => {}
            RegisterOutcome::StaleClaim => stale_claim = claim.map(|claim| claim.registration),
        }
    }
    Err(Failure::transient("store a device", "other requests changed the rows each time").into())
}

/// Removes the device. A concurrent sign-in, such as one with a newer token, is removed as well: a missing
/// notification is better than one for the wrong person.
#[instrument(level = "error", skip_all, fields(user = user_hash(user), device = id))]
pub async fn sign_out<D: Devices, E: Endpoints>(ports: &Ports<D, E>, user: &str, id: &str) -> Result<(), HandlerError> {
    for _ in 0..ATTEMPTS {
        let Some(device) = ports.devices.get(user, id).await? else { return Ok(()) };
        if ports.devices.unregister(&device).await? {
            info!("signed out");
            return Ok(());
        }
    }
    Err(Failure::transient("remove a device", "other requests changed the row each time").into())
}

/// Endpoint of a device without a claim.
enum Unclaimed {
    None,
    /// Of another device id of the same user.
    Own(String),
    OfOthers(String),
}

/// Deletes all other devices that have the token without a claim, as the version before wrote them. Returns the endpoint
/// of one.
async fn revoke_unclaimed<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    owner: &Owner,
    token: &Token,
) -> Result<Unclaimed, Failure> {
    let mut holders = ports.devices.holders(token).await?;
    holders.retain(|holder| (&holder.user, &holder.id) != (&owner.user, &owner.device));
    for holder in &holders {
        ports.devices.delete_unclaimed(token, holder).await?;
    }
    holders.retain(|holder| ports.endpoints.contains(&holder.endpoint_arn));
    Ok(match holders.iter().find(|holder| holder.user != owner.user).or(holders.first()) {
        Some(holder) if holder.user == owner.user => Unclaimed::Own(holder.endpoint_arn.clone()),
        Some(holder) => Unclaimed::OfOthers(holder.endpoint_arn.clone()),
        None => Unclaimed::None,
    })
}

/// Removes the oldest of the user's other devices, so that [`MAX_DEVICES`] are left with the new one.
async fn remove_oldest<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    mut others: Vec<Device>,
) -> Result<(), HandlerError> {
    others.sort_by_key(|device| device.last_seen);
    let excess = (others.len() + 1).saturating_sub(MAX_DEVICES);
    for device in &others[..excess] {
        // A device that has registered again since is not the oldest.
        ports.devices.unregister(device).await?;
    }
    Ok(())
}
