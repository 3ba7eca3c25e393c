use domain::media::{
    CleanupScope, Declared, Derivatives, MediaId, Notification, ObjectChange, ObjectEvent, Original, OriginalKey,
    Outcome, Reason, Report,
};
use function_kit::{
    failure::Failure,
    metrics::{Metrics, Unit},
};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use tracing::{info, instrument, warn};

use crate::{
    derived_files::{DerivedFiles, File},
    originals::Originals,
    reports::Reports,
};

/// Makes derivatives from originals and keeps them in step with S3 events.
pub struct Worker<R> {
    /// The bucket to read.
    pub originals: Originals,
    /// The bucket to write.
    pub derived: DerivedFiles,
    /// The queue of reports.
    pub reports: Reports,
    /// Counts `Originals` by `Outcome`; observes `FailedShare` and `UploadToOutcome`.
    pub metrics: Metrics,
    /// Makes the files.
    pub renderer: R,
}

/// Makes derivatives from one original.
pub trait Renderer {
    /// Renders an original. The same content gives the same files under the same keys.
    fn render(&self, originals: &Originals, job: &Job<'_>) -> impl Future<Output = Result<RenderResult, Failure>>;
}

/// The original's declaration with its derivatives, or with the permanent reason for having none. `None` if the original
/// has been deleted or replaced.
pub type RenderResult = Option<(Declared, Result<Rendered, Reason>)>;

/// An original to render.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The id of its media item.
    pub id: MediaId,
    /// The event of its creation.
    pub event: &'a ObjectEvent,
    /// In bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: &'a str,
}

/// The derivatives of an original.
#[derive(Debug)]
pub struct Rendered {
    /// The description, which names the files.
    pub derived: Derivatives,
    /// Content type of the original by its bytes, if it is known. Processing does not depend on the declared one.
    pub detected_type: Option<&'static str>,
    /// All files to store.
    pub files: Vec<File>,
}

/// Values of the dimension `Outcome`, beside the reasons of failures.
const READY: &str = "ready";
const GONE: &str = "gone";

impl<R: Renderer> Worker<R> {
    /// Processes one S3 notification.
    ///
    /// # Errors
    /// If the message is not a notification, a service fails, or the renderer has a bug.
    pub async fn handle(&self, body: &str) -> Result<(), Failure> {
        let notification = Notification::parse(body).map_err(|error| Failure::bug("read the message", error))?;
        for event in &notification.events {
            let id = MediaId::of_key(&event.key);
            match &event.change {
                ObjectChange::Created { size, etag } => {
                    if let Err(error) = OriginalKey::parse(&event.key) {
                        // An object that was written by hand: without an owner it is not media.
                        warn!(sequencer = %event.sequencer, %error, "ignored an object with another key");
                        continue;
                    }
                    self.process(&Job { id, event, size: *size, etag }).await?;
                }
                ObjectChange::Removed => self.derived.clean_up(id, CleanupScope::UpTo(&event.sequencer)).await?,
            }
        }
        Ok(())
    }

    /// Makes and stores the derivatives of an original, deletes older ones, and reports.
    ///
    /// No lock is needed, since S3 is strongly consistent. A deletion or replacement before the last check of the
    /// original is seen by the check. A later one has its own event, which is processed after the files were stored.
    #[instrument(level = "error", name = "original", skip_all, fields(media_id = %job.id))]
    async fn process(&self, job: &Job<'_>) -> Result<(), Failure> {
        let Job { id, event, size, etag } = *job;
        let up_to_event = CleanupScope::UpTo(&event.sequencer);
        let Some((declared, rendered)) = self.renderer.render(&self.originals, job).await? else {
            info!(media_id = %id, "deleted or replaced before it was processed");
            self.count(GONE);
            return self.derived.clean_up(id, up_to_event).await;
        };
        let (outcome, detected_type) = match rendered {
            Ok(Rendered { derived, detected_type, files }) => {
                let count = files.len();
                try_join_all(files.into_iter().map(|file| self.derived.put(file))).await?;
                self.derived.clean_up(id, CleanupScope::Superseded).await?;
                if self.originals.head_if_match(&event.key, etag).await?.is_none() {
                    info!(media_id = %id, "deleted or replaced while it was processed");
                    self.count(GONE);
                    return self.derived.clean_up(id, up_to_event).await;
                }
                info!(media_id = %id, files = count, "ready");
                (Outcome::Ready(derived), detected_type)
            }
            Err(reason) => {
                // The content before this one may have had derivatives.
                self.derived.clean_up(id, up_to_event).await?;
                info!(media_id = %id, ?reason, "failed");
                (Outcome::Failed { reason }, None)
            }
        };
        let name = name(&outcome);
        let original = Original::of(event, size, declared).map_err(|error| Failure::bug("name the owner", error))?;
        let detected_type = detected_type.map(str::to_owned);
        self.reports.send(&Report { original, outcome, detected_type }).await?;
        self.measure(name, event.at);
        Ok(())
    }

    fn count(&self, outcome: &'static str) {
        self.metrics.count_kind("Originals", ("Outcome", outcome), 1);
    }

    /// `FailedShare` is 0 or 100 for each original, so its average is the share of failures in per cent.
    fn measure(&self, outcome: &'static str, uploaded_at: Timestamp) {
        self.count(outcome);
        self.metrics.observe("FailedShare", Unit::Percent, if outcome == READY { 0.0 } else { 100.0 });
        let took = Timestamp::now().duration_since(uploaded_at).as_millis_f64();
        self.metrics.observe("UploadToOutcome", Unit::Milliseconds, took.max(0.0));
    }
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Ready(_) => READY,
        Outcome::Failed { reason } => reason.as_str(),
    }
}
