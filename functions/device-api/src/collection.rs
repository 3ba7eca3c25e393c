//! Deletes endpoints that no device has: of users who signed out, of former tokens, of registrations that failed halfway.
//!
//! A registration that has just found such an endpoint must not lose it. So the claim of the token says first that the
//! endpoint is being deleted, if the claim is still as read. A registration in progress then conflicts; it and later ones
//! do not use the endpoint. The note expires after a day, when no such registration can be in progress.

use domain::push::Token;
use function_kit::{failure::Failure, nonce::nonce};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use store::devices::{Holder, WriteOutcome};
use tracing::info;

use crate::{
    endpoint::{Endpoint, EndpointPage},
    ports::{Devices, Endpoints, Ports},
};

/// Number of endpoints examined in parallel.
const PARALLEL_ENDPOINTS: usize = 16;

/// Result of a collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    pub examined: u64,
    pub deleted: u64,
}

/// Examines endpoints, page by page, until all are examined or `is_over`. The next collection continues there.
///
/// # Errors
/// If a call fails. The next collection examines the page again.
pub async fn collect<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    now: Timestamp,
    is_over: impl Fn() -> bool,
) -> Result<Collected, Failure> {
    let mut collected = Collected::default();
    let mut cursor = ports.devices.collection_cursor().await?;
    loop {
        // With an expired cursor, the collection starts again.
        let page = ports.endpoints.page(cursor.as_deref()).await?;
        let EndpointPage { endpoints, next } = page.unwrap_or_default();
        collected.examined += endpoints.len() as u64;
        let deleted = stream::iter(endpoints).map(|endpoint| collect_one(ports, now, endpoint));
        let deleted: Vec<bool> = deleted.buffer_unordered(PARALLEL_ENDPOINTS).try_collect().await?;
        collected.deleted += deleted.into_iter().map(u64::from).sum::<u64>();
        ports.devices.put_collection_cursor(next.as_deref()).await?;
        if next.is_none() || is_over() {
            info!(examined = collected.examined, deleted = collected.deleted, "endpoints collected");
            return Ok(collected);
        }
        cursor = next;
    }
}

/// Deletes the endpoint if no device has it. Returns whether it was deleted.
async fn collect_one<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    now: Timestamp,
    endpoint: Endpoint,
) -> Result<bool, Failure> {
    let Endpoint { arn, token, owner, .. } = endpoint;
    // Devices have only tokens that this function accepts.
    let Some(token) = token.and_then(|token| Token::try_from(token).ok()) else { return Ok(false) };
    let claim = ports.devices.token_claim(&token).await?;
    if claim.as_ref().is_some_and(|claim| claim.holder.is_some()) {
        return Ok(false);
    }
    // Devices of the version before have no claim.
    let owner = owner.map(|owner| Holder { user: owner.user, id: owner.device, endpoint_arn: arn.clone() });
    for holder in ports.devices.holders(&token).await?.into_iter().chain(owner) {
        let device = ports.devices.get(&holder.user, &holder.id).await?;
        if device.is_some_and(|device| device.endpoint_arn == arn) {
            return Ok(false);
        }
    }
    let noted = ports.devices.begin_collection(&token, claim.as_ref(), &arn, &nonce()?, now).await?;
    if noted == WriteOutcome::Conflict {
        return Ok(false);
    }
    ports.endpoints.delete(&arn).await?;
    Ok(true)
}
