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
use tracing::Span;

use crate::{
    error::PrepareError,
    ffmpeg::Ffmpeg,
    lazy_download::Source,
    prepare::{PrepareRequest, prepare},
};

/// The longest time for one recording. The rest of Lambda's 15 minutes is for storing and reporting.
const MAX_TIME: Duration = Duration::from_secs(13 * 60);

/// Renders recordings.
pub struct AudioRenderer {
    /// The path of the program.
    pub ffmpeg: PathBuf,
}

impl Renderer for AudioRenderer {
    async fn render(&self, originals: &Originals, job: &Job<'_>) -> Result<RenderResult, Failure> {
        let Job { id, event, size, version } = *job;
        let Some(declared) = originals.head_if_current(&event.key, version).await? else { return Ok(None) };
        if let Err(reason) = check_size(size) {
            return Ok(Some((declared, Err(reason))));
        }
        let request = PrepareRequest {
            id,
            sequencer: event.sequencer.clone(),
            visibility: declared.intent.visibility,
            size,
            source: Source {
                originals: originals.clone(),
                runtime: Handle::current(),
                key: event.key.clone(),
                version: version.clone(),
            },
            ffmpeg: Ffmpeg { program: self.ffmpeg.clone(), deadline: Instant::now() + MAX_TIME },
        };
        // Decoding blocks: it computes, and waits for ffmpeg and the disk. Downloads run on this thread's runtime.
        let span = Span::current();
        let prepared = spawn_blocking(move || span.in_scope(|| prepare(request))).await;
        match prepared.map_err(|error| Failure::bug("prepare a recording", error))? {
            Ok(rendered) => Ok(Some((declared, Ok(rendered)))),
            Err(PrepareError::Permanent(reason)) => Ok(Some((declared, Err(reason)))),
            Err(PrepareError::Gone) => Ok(None),
            Err(PrepareError::Failed(failure)) => Err(failure),
        }
    }
}

/// Checks the size of an original, in bytes, before the download.
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
    fn empty_or_too_large_original_is_rejected_by_size() {
        assert_eq!(check_size(0), Err(Reason::Empty));
        assert_eq!(check_size(max_bytes(Kind::Audio)), Ok(()));
        assert_eq!(check_size(max_bytes(Kind::Audio) + 1), Err(Reason::TooLarge));
    }
}
