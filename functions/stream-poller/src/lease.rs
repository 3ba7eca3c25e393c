//! Acquires the lease, with a handover from the predecessor.

use std::{
    hash::{BuildHasher, RandomState},
    time::Instant,
};

use function_kit::failure::{Failure, Kind};
use jiff::{SignedDuration, Timestamp};
use store::checkpoint::AcquiredLease;
use tokio::time::sleep;
use tracing::warn;

use crate::{checkpoints::Checkpoints, settings::Settings};

/// A unique owner for an invocation. The request id is not enough, because Lambda may deliver an asynchronous event
/// twice.
pub fn owner(request_id: &str) -> String {
    format!("{request_id}/{}", unique_id())
}

/// A unique id of 16 hexadecimal digits, from the random seed of the standard hash map.
pub fn unique_id() -> String {
    format!("{:016x}", RandomState::new().hash_one(Timestamp::now().as_nanosecond()))
}

/// Acquires the lease. If it is held, requests the handover and waits until `give_up`.
///
/// Returns `None` if the holder has not released it by then.
///
/// # Errors
/// If the table fails with a bug. Transient failures are retried.
#[tracing::instrument(level = "error", skip_all, fields(owner))]
pub async fn acquire(
    checkpoints: &impl Checkpoints,
    owner: &str,
    expires_at: Timestamp,
    give_up: Instant,
    settings: &Settings,
) -> Result<Option<AcquiredLease>, Failure> {
    let ttl = SignedDuration::try_from(settings.handover_request_ttl).unwrap_or(SignedDuration::MAX);
    let mut requested_at: Option<Instant> = None;
    loop {
        match checkpoints.acquire(owner, Timestamp::now(), expires_at).await {
            Ok(Some(acquired)) => return Ok(Some(acquired)),
            Ok(None) => {}
            Err(failure) => warn_if_transient(failure)?,
        }
        if requested_at.is_none_or(|requested_at| requested_at.elapsed() >= settings.handover_request_ttl / 3) {
            let until = Timestamp::now().checked_add(ttl).unwrap_or(Timestamp::MAX);
            match checkpoints.request_handover(owner, until).await {
                Ok(()) => requested_at = Some(Instant::now()),
                Err(failure) => warn_if_transient(failure)?,
            }
        }
        if Instant::now() >= give_up {
            return Ok(None);
        }
        sleep(settings.acquire_interval).await;
    }
}

/// Logs a transient failure. Returns any other.
fn warn_if_transient(failure: Failure) -> Result<(), Failure> {
    match failure.kind {
        Kind::Transient => {
            warn!(kind = failure.kind.as_str(), %failure, "will be tried again");
            Ok(())
        }
        Kind::Bug => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_delivered_twice_has_two_owners() {
        assert_ne!(owner("r"), owner("r"));
        assert!(owner("r").starts_with("r/"));
    }
}
