//! The generation of events that are published without the lease: by a replay or an export.

use std::time::Instant;

use neptune_streams::{Client, Error, Start, StreamReader};
use store::checkpoint::{Checkpoint, Progress};
use tokio::time::sleep;

use crate::{
    checkpoints::Checkpoints,
    run_error::RunError,
    settings::Settings,
    stream_identity::{self, Identity, KnownCommit},
};

/// Reads how far the stream is published, and compares the stream with the checkpoint.
///
/// After a fast reset, the table has the generation of the old stream until the poller starts the next one. Events of the
/// new stream with ids of the old one would lose to facts of the old graph, or be taken for them.
///
/// # Errors
/// If the stream was reset and the next generation has not started. A head before the checkpoint may be a lagging replica:
/// it is an error only after `reset_grace`, and so are transient errors.
pub async fn current_progress(
    stream: &Client,
    checkpoints: &impl Checkpoints,
    settings: &Settings,
) -> Result<Progress, RunError> {
    let (start, mut delays) = (Instant::now(), settings.backoff);
    loop {
        let progress = checkpoints.progress().await?;
        if progress.is_stopped_by_reset {
            return Err(RunError::UnresolvedReset);
        }
        let Some(checkpoint) = progress.checkpoint else { return Ok(progress) };
        match compare(stream, checkpoint).await {
            Ok(Identity::Same | Identity::Unknown) => return Ok(progress),
            Ok(Identity::Replaced) => {
                return Err(RunError::Replaced { commit_num: checkpoint.position.commit_num });
            }
            Err(error) if error.is_transient() && start.elapsed() < settings.reset_grace => {
                sleep(delays.next_delay()).await;
            }
            Err(Error::Reset { head }) => return Err(RunError::Reset { head }),
            Err(error) => return Err(RunError::stream(error)),
        }
    }
}

/// Compares the stream with the checkpointed commit; if that cannot be read, its head with the checkpoint.
///
/// # Errors
/// [`Error::Reset`] if the head is before the checkpoint.
async fn compare(stream: &Client, checkpoint: Checkpoint) -> Result<Identity, Error> {
    if let Some(known) = known_commit(checkpoint) {
        let identity = stream_identity::compare(stream, known).await?;
        if identity != Identity::Unknown {
            return Ok(identity);
        }
    }
    let start = Start::AfterSequenceNumber(checkpoint.position);
    match StreamReader::new(stream.clone(), start).with_max_limit(1).read().await {
        // The records there have expired.
        Err(Error::Expired(_) | Error::Gap { .. }) | Ok(_) => Ok(Identity::Unknown),
        Err(error) => Err(error),
    }
}

/// The checkpointed commit, if its time is known.
pub fn known_commit(checkpoint: Checkpoint) -> Option<KnownCommit> {
    let commit_num = checkpoint.position.commit_num;
    checkpoint.committed_at_ms.map(|committed_at_ms| KnownCommit { commit_num, committed_at_ms })
}
