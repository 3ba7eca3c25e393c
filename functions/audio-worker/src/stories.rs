use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use derivatives::{Job, Originals, RenderResult, Renderer};
use domain::{
    media::{Kind, Reason},
    upload::max_bytes,
};
use function_kit::failure::Failure;
use tokio::{runtime::Handle, task::spawn_blocking};

use crate::{
    ffmpeg::Ffmpeg,
    prepare::{Order, Stopped, prepare},
    spool::Fetch,
};

/// How long a recording may take: what is left of Lambda's 15 minutes is for storing and reporting.
const TIME: Duration = Duration::from_secs(13 * 60);

/// Makes what is played and drawn of recordings.
pub struct Stories {
    /// The program.
    pub ffmpeg: PathBuf,
}

impl Renderer for Stories {
    async fn render(&self, originals: &Originals, job: &Job<'_>) -> Result<RenderResult, Failure> {
        let Job { id, event, size, etag } = *job;
        let Some(declared) = originals.head_if_match(&event.key, etag).await? else { return Ok(None) };
        if let Err(reason) = check_size(size) {
            return Ok(Some((declared, Err(reason))));
        }
        let order = Order {
            id,
            sequencer: event.sequencer.clone(),
            visibility: declared.intent.visibility,
            size,
            fetch: Fetch {
                originals: originals.clone(),
                runtime: Handle::current(),
                key: event.key.clone(),
                etag: etag.to_owned(),
            },
            ffmpeg: Ffmpeg { program: self.ffmpeg.clone(), deadline: Instant::now() + TIME },
        };
        // Decoding computes and waits for a program and a disk: in a thread of its own, which has
        // this one fetch from S3.
        let prepared = spawn_blocking(move || prepare(order)).await;
        match prepared.map_err(|error| Failure::bug("prepare a recording", error))? {
            Ok(made) => Ok(Some((declared, Ok(made)))),
            Err(Stopped::Never(reason)) => Ok(Some((declared, Err(reason)))),
            Err(Stopped::Gone) => Ok(None),
            Err(Stopped::Failed(failure)) => Err(failure),
        }
    }
}

/// Refuses by the size alone, in bytes, what need not be fetched.
fn check_size(size: u64) -> Result<(), Reason> {
    match size {
        0 => Err(Reason::Empty),
        size if size > max_bytes(Kind::Audio) => Err(Reason::TooLarge),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_alone_can_be_reason_enough() {
        assert_eq!(check_size(0), Err(Reason::Empty));
        assert_eq!(check_size(max_bytes(Kind::Audio)), Ok(()));
        assert_eq!(check_size(max_bytes(Kind::Audio) + 1), Err(Reason::TooLarge));
    }
}
