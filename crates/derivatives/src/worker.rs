use domain::media::{
    CleanupScope, Declared, Derived, MediaId, Notification, ObjectChange, ObjectEvent, Original, OriginalKey, Outcome,
    Reason, Report,
};
use function_kit::{
    failure::Failure,
    metrics::{Metrics, Unit},
};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use tracing::{info, warn};

use crate::{
    Reports,
    files::{DerivedFiles, File},
    originals::Originals,
};

/// What it takes to make files from originals and to keep them in step.
pub struct Worker<M> {
    /// What is read.
    pub originals: Originals,
    /// What is written.
    pub derived: DerivedFiles,
    /// Who is told.
    pub reports: Reports,
    /// What is measured: `Originals` by `Outcome`, `FailedShare` and `UploadToOutcome`.
    pub metrics: Metrics,
    /// What is made.
    pub renderer: M,
}

/// Makes of an original what is shown or heard of it.
pub trait Renderer {
    /// The same original gives the same files under the same keys.
    fn render(&self, originals: &Originals, job: &Job<'_>) -> impl Future<Output = Result<RenderResult, Failure>>;
}

/// What an original declares and what is made of it, or why nothing can ever be; `None` if it has gone
/// or changed.
pub type RenderResult = Option<(Declared, Result<Rendered, Reason>)>;

/// An original that is to be worked on.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// Its item.
    pub id: MediaId,
    /// What S3 said.
    pub event: &'a ObjectEvent,
    /// In bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: &'a str,
}

/// What was made of an original.
#[derive(Debug)]
pub struct Rendered {
    /// Its description, which names the files.
    pub derived: Derived,
    /// All of them.
    pub files: Vec<File>,
}

/// What `Originals` counts them as, beside the reasons why they failed.
const READY: &str = "ready";
const GONE: &str = "gone";

impl<M: Renderer> Worker<M> {
    /// Works off one S3 notification.
    pub async fn handle(&self, body: &str) -> Result<(), Failure> {
        let notification = Notification::parse(body).map_err(|error| Failure::bug("read the message", error))?;
        for event in &notification.events {
            match &event.change {
                ObjectChange::Created { size, etag } => self.created(event, *size, etag).await?,
                ObjectChange::Removed => {
                    self.derived.sweep(MediaId::of_key(&event.key), CleanupScope::UpTo(&event.sequencer)).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes and stores the files of an original, cleans up after older ones, and reports.
    ///
    /// S3 is strongly consistent, so no lock is needed against a deletion or an overwrite in the
    /// meantime: if it came before the last look at the original, that look sees it; if after, its own
    /// event is still to be worked off, and finds the files.
    async fn created(&self, event: &ObjectEvent, size: u64, etag: &str) -> Result<(), Failure> {
        if let Err(error) = OriginalKey::parse(&event.key) {
            // Somebody with access to the bucket put it there by hand: not media, and nobody's.
            warn!(sequencer = %event.sequencer, %error, "left out");
            return Ok(());
        }
        let id = MediaId::of_key(&event.key);
        let gone = CleanupScope::UpTo(&event.sequencer);
        let Some((declared, made)) = self.renderer.render(&self.originals, &Job { id, event, size, etag }).await?
        else {
            info!(media_id = %id, "gone before it was processed");
            self.metrics.count_kind("Originals", ("Outcome", GONE), 1);
            return self.derived.sweep(id, gone).await;
        };
        let outcome = match made {
            Ok(Rendered { derived, files }) => {
                let count = files.len();
                try_join_all(files.into_iter().map(|file| self.derived.put(file))).await?;
                self.derived.sweep(id, CleanupScope::Superseded).await?;
                if self.originals.head_if_match(&event.key, etag).await?.is_none() {
                    info!(media_id = %id, "gone while it was processed");
                    self.metrics.count_kind("Originals", ("Outcome", GONE), 1);
                    return self.derived.sweep(id, gone).await;
                }
                info!(media_id = %id, files = count, "ready");
                Outcome::Ready(derived)
            }
            Err(reason) => {
                // What this content replaced had files, perhaps.
                self.derived.sweep(id, gone).await?;
                info!(media_id = %id, ?reason, "failed");
                Outcome::Failed { reason }
            }
        };
        let name = name(&outcome);
        let original = Original::of(event, size, declared).map_err(|error| Failure::bug("name the owner", error))?;
        self.reports.send(&Report { original, outcome }).await?;
        self.measure(name, event.at);
        Ok(())
    }

    /// The average of 0 for what became ready and 100 for what failed is the share that failed, in per
    /// cent, without arithmetic on metrics.
    fn measure(&self, outcome: &'static str, uploaded_at: Timestamp) {
        self.metrics.count_kind("Originals", ("Outcome", outcome), 1);
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
