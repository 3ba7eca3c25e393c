use domain::media::{
    CleanupScope, Declared, Derivatives, MediaId, Notification, ObjectChange, ObjectEvent, ObjectVersion, Original,
    OriginalKey, Outcome, Reason, Report,
};
use function_kit::{
    failure::Failure,
    metrics::{Metrics, Unit},
};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use tracing::{info, instrument, warn};

use crate::{
    aws_ports::AwsPorts,
    clean_up::{clean_up, clean_up_gone, clean_up_taken_down},
    file::File,
    originals::Originals,
    ports::Ports,
};

/// Makes derivatives from originals and keeps them in step with S3 events.
pub struct Worker<R, P = AwsPorts> {
    /// The services.
    pub ports: P,
    /// Counts `Originals` by `Outcome`; observes `FailedShare` and `UploadToOutcome`.
    pub metrics: Metrics,
    /// Makes the files.
    pub renderer: R,
}

/// Makes derivatives from one original, which it reads from `O`.
pub trait Renderer<O = Originals> {
    /// Renders an original. The same content gives the same files under the same keys.
    fn render(&self, originals: &O, job: &Job<'_>) -> impl Future<Output = Result<RenderResult, Failure>>;
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
    /// The version of the object that the event created.
    pub version: &'a ObjectVersion,
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
const TAKEN_DOWN: &str = "taken_down";

impl<P: Ports, R: Renderer<P::Originals>> Worker<R, P> {
    /// Processes one S3 notification.
    ///
    /// # Errors
    /// If the message is not a notification, a service fails, or the renderer has a bug.
    pub async fn handle(&self, body: &str) -> Result<(), Failure> {
        let notification = Notification::parse(body).map_err(|error| Failure::bug("read the message", error))?;
        for name in &notification.unknown {
            warn!(name, "ignored an S3 event of an unknown family");
        }
        for event in &notification.events {
            let id = MediaId::of_key(&event.key);
            match &event.change {
                ObjectChange::Created { size, version } => {
                    if let Err(error) = OriginalKey::parse(&event.key) {
                        // An object that was written by hand: without an owner it is not media.
                        warn!(sequencer = %event.sequencer, %error, "ignored an object with another key");
                        continue;
                    }
                    // Boxed, because the compiler limits the depth of nested futures.
                    Box::pin(self.process(&Job { id, event, size: *size, version })).await?;
                }
                ObjectChange::Removed => {
                    Box::pin(clean_up(&self.ports, id, CleanupScope::UpTo(&event.sequencer))).await?;
                }
            }
        }
        Ok(())
    }

    /// Deletes the derivatives of older generations, of an original that has to wait: one that was hidden must not stay
    /// under open URLs until then.
    ///
    /// # Errors
    /// If the message is not a notification, or a service fails.
    pub async fn delete_older(&self, body: &str) -> Result<(), Failure> {
        let notification = Notification::parse(body).map_err(|error| Failure::bug("read the message", error))?;
        for event in &notification.events {
            if matches!(event.change, ObjectChange::Created { .. }) {
                let scope = CleanupScope::Before(&event.sequencer);
                clean_up(&self.ports, MediaId::of_key(&event.key), scope).await?;
            }
        }
        Ok(())
    }

    /// Makes and stores the derivatives of an original, deletes older ones, and reports. An item that was taken down, before
    /// or meanwhile, has none.
    ///
    /// No lock is needed, since S3 is strongly consistent. A deletion or replacement before the last look at the
    /// original is seen by it. A later one has its own event, which is processed after the files were stored.
    /// `docs/design/protocols.md` lists the steps and their crashes.
    #[instrument(level = "error", name = "original", skip_all, fields(media_id = %job.id))]
    async fn process(&self, job: &Job<'_>) -> Result<(), Failure> {
        let Job { id, event, size, version } = *job;
        if self.ports.is_taken_down(id).await? {
            return self.take_down(job).await;
        }
        let Some((declared, rendered)) = self.renderer.render(self.ports.originals(), job).await? else {
            return self.gone(job).await;
        };
        let (outcome, detected_type) = match rendered {
            Ok(Rendered { derived, detected_type, files }) => {
                let count = files.len();
                // Rendering takes minutes. If the original was hidden meanwhile, its files must not appear under open URLs.
                if self.ports.head(&event.key, version).await?.is_none() {
                    return self.gone(job).await;
                }
                try_join_all(files.into_iter().map(|file| self.ports.put(file))).await?;
                clean_up(&self.ports, id, CleanupScope::Superseded).await?;
                if self.ports.head(&event.key, version).await?.is_none() {
                    return self.gone(job).await;
                }
                if self.ports.is_taken_down(id).await? {
                    return self.take_down(job).await;
                }
                info!(media_id = %id, files = count, "ready");
                (Outcome::Ready(derived), detected_type)
            }
            Err(reason) => {
                // The content before this one may have had derivatives. Those of this generation belong to an attempt that
                // succeeded: the item is or becomes ready.
                clean_up(&self.ports, id, CleanupScope::Before(&event.sequencer)).await?;
                info!(media_id = %id, ?reason, "failed");
                (Outcome::Failed { reason }, None)
            }
        };
        let name = name(&outcome);
        let original = Original::of(event, size, declared).map_err(|error| Failure::bug("name the owner", error))?;
        let detected_type = detected_type.map(str::to_owned);
        self.ports.report(&Report { original, outcome, detected_type }).await?;
        self.measure(name, event.at);
        Ok(())
    }

    /// Leaves no files of an original that was deleted or replaced.
    async fn gone(&self, job: &Job<'_>) -> Result<(), Failure> {
        info!(media_id = %job.id, "deleted or replaced before it was ready");
        self.count(GONE);
        clean_up_gone(&self.ports, job.id, &job.event.sequencer).await
    }

    /// Leaves no files of an item that was taken down. Its restoration has an event of its own.
    async fn take_down(&self, job: &Job<'_>) -> Result<(), Failure> {
        info!(media_id = %job.id, "was taken down");
        self.count(TAKEN_DOWN);
        clean_up_taken_down(&self.ports, job.id, &job.event.sequencer).await
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
        Outcome::Failed { reason } => reason.into(),
    }
}
