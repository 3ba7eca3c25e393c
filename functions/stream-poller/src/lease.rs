//! Taking the lease, from a predecessor if there is one.

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

/// A name for an invocation that no other has. The request's id alone is not enough: Lambda may
/// deliver an asynchronous event twice.
pub fn owner(request_id: &str) -> String {
    format!("{request_id}/{}", unique())
}

/// 16 hexadecimal digits that nobody has had before, from the seed that the system gives hash maps.
pub fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(Timestamp::now().as_nanosecond()))
}

/// Takes the lease; asks who holds it to hand over, and waits for that until `give_up`.
///
/// `None` if the holder has not come to an end by then.
///
/// # Errors
/// If the table's answers are a bug. What may pass is tried again.
pub async fn acquire(
    checkpoints: &impl Checkpoints,
    owner: &str,
    expires_at: Timestamp,
    give_up: Instant,
    settings: &Settings,
) -> Result<Option<AcquiredLease>, Failure> {
    let ask_for = SignedDuration::try_from(settings.ask_for).unwrap_or(SignedDuration::MAX);
    let mut asked: Option<Instant> = None;
    loop {
        match checkpoints.acquire(owner, Timestamp::now(), expires_at).await {
            Ok(Some(taken)) => return Ok(Some(taken)),
            Ok(None) => {}
            Err(failure) => tolerate(failure)?,
        }
        if asked.is_none_or(|asked| asked.elapsed() >= settings.ask_for / 3) {
            let until = Timestamp::now().checked_add(ask_for).unwrap_or(Timestamp::MAX);
            match checkpoints.request_handover(owner, until).await {
                Ok(()) => asked = Some(Instant::now()),
                Err(failure) => tolerate(failure)?,
            }
        }
        if Instant::now() >= give_up {
            return Ok(None);
        }
        sleep(settings.take_every).await;
    }
}

fn tolerate(failure: Failure) -> Result<(), Failure> {
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
    fn one_request_has_a_new_owner_at_every_delivery() {
        assert_ne!(owner("r"), owner("r"));
        assert!(owner("r").starts_with("r/"));
    }
}
