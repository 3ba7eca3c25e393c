//! Makes a copy, in turns. A turn continues where the one before has stored its progress.

use domain::export::{ExportJob, StoredState};
use function_kit::failure::Failure;
use store::exports::StoredExport;
use tracing::info;

use crate::{
    archive::Archive,
    names,
    ports::{NoUpload, Ports},
    progress::{Progress, Stage},
    source::{Source, Step},
};

/// The most parts of an upload to S3.
const MAX_PARTS: u32 = 10_000;

/// Sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Of a part of the upload, at least. S3 takes parts of 5 MiB and more.
    pub part: usize,
    /// Of what is read of an original at once.
    pub piece: u64,
}

/// Sizes in production: a copy may have 160 GB, and a turn takes up to 40 MB of memory.
pub const SIZES: Sizes = Sizes { part: 16 << 20, piece: 8 << 20 };

/// Continues the copy of a message. A message that is delivered again continues it as well.
pub async fn consume(ports: &impl Ports, sizes: Sizes, body: &str) -> Result<(), Failure> {
    let job: ExportJob = serde_json::from_str(body).map_err(|error| Failure::bug("read an export", error))?;
    let Some(export) = ports.export(&job.user).await?.filter(|export| export.id == job.id) else {
        // The person is being erased, or has asked for another copy.
        info!("export is gone");
        return Ok(());
    };
    match export.state {
        StoredState::Failed => Ok(()),
        StoredState::Ready if export.notified => Ok(()),
        StoredState::Ready => notify(ports, &export).await,
        StoredState::Pending => Turn::begin(ports, sizes, job, export).await?.run().await,
    }
}

async fn notify(ports: &impl Ports, export: &StoredExport) -> Result<(), Failure> {
    ports.notify(export).await?;
    ports.mark_notified(export).await
}

/// One turn.
struct Turn<'a, P> {
    ports: &'a P,
    sizes: Sizes,
    job: ExportJob,
    export: StoredExport,
    progress: Progress,
    archive: Archive,
    source: Source,
    /// Name of the zip file in the bucket.
    object: String,
}

/// Whether the progress was stored.
enum Stored {
    Yes,
    /// The export is gone.
    No,
}

impl<'a, P: Ports> Turn<'a, P> {
    async fn begin(ports: &'a P, sizes: Sizes, job: ExportJob, export: StoredExport) -> Result<Self, Failure> {
        const DOING: &str = "continue an export";
        let progress = match &export.progress {
            None => Progress::default(),
            Some(progress) => serde_json::from_str(progress).map_err(|error| Failure::bug(DOING, error))?,
        };
        let object = export.file();
        let rest = match &progress.rest {
            None => Some(Vec::new()),
            Some(rest) => ports.work(rest).await?,
        };
        let (progress, rest) = match rest {
            Some(rest) => (progress, rest),
            // It was deleted after some days.
            None => match progress.restart() {
                Some(progress) => (progress, Vec::new()),
                None => {
                    ports.fail(&export).await?;
                    return Err(Failure::bug(DOING, "its state is lost again"));
                }
            },
        };
        let archive = Archive::continue_at(progress.archive.clone(), rest);
        Ok(Self { ports, sizes, job, export, progress, archive, source: Source::default(), object })
    }

    async fn run(mut self) -> Result<(), Failure> {
        while self.progress.stage != Stage::Complete {
            match self
                .source
                .step(
                    self.ports,
                    &self.export,
                    &self.job.username,
                    self.sizes.piece,
                    &mut self.progress,
                    &mut self.archive,
                )
                .await?
            {
                Step::Written => {}
                Step::Lost => return self.restart().await,
                Step::TooLarge => return self.fail("the document is too large").await,
            }
            let is_time_up = self.ports.is_time_up();
            let before = self.progress.rest.take();
            if self.progress.stage == Stage::Complete || self.archive.len() >= self.sizes.part {
                if self.progress.parts >= MAX_PARTS {
                    return self.fail("the file is too large").await;
                }
                if let Err(NoUpload) = self.upload_part().await? {
                    return self.restart().await;
                }
            } else if is_time_up {
                self.store_rest().await?;
            } else {
                self.progress.rest = before;
                continue;
            }
            let Stored::Yes = self.store_progress().await? else { return Ok(()) };
            // A step may have added nothing, and so the name is the same.
            if let Some(before) = before.filter(|before| self.progress.rest.as_ref() != Some(before)) {
                self.ports.delete(&before).await?;
            }
            if is_time_up {
                return self.enqueue().await;
            }
        }
        self.complete().await
    }

    async fn upload_part(&mut self) -> Result<Result<(), NoUpload>, Failure> {
        let upload = match &self.progress.upload {
            Some(upload) => upload.clone(),
            None => {
                let upload = self.ports.begin_upload(&self.object).await?;
                self.progress.upload = Some(upload.clone());
                upload
            }
        };
        let number = self.progress.parts + 1;
        match self.ports.upload_part(&self.object, &upload, number, self.archive.take_bytes()).await? {
            Ok(etag) => {
                self.progress.add_part(&etag);
                Ok(Ok(()))
            }
            Err(NoUpload) => Ok(Err(NoUpload)),
        }
    }

    /// Stores what is too short for a part, so that a turn may end at any time.
    async fn store_rest(&mut self) -> Result<(), Failure> {
        let name = names::rest(&self.export, self.archive.written());
        self.ports.store_work(&name, self.archive.take_bytes()).await?;
        self.progress.rest = Some(name);
        Ok(())
    }

    /// Stores the progress, after everything that it names.
    async fn store_progress(&mut self) -> Result<Stored, Failure> {
        const DOING: &str = "store the progress of an export";
        let directory = self.archive.take_directory();
        if !directory.is_empty() {
            let name = names::directory(&self.export, self.progress.directory_pieces);
            self.ports.store_work(&name, directory).await?;
            self.progress.directory_pieces += 1;
        }
        self.progress.archive = self.archive.state().clone();
        let progress = serde_json::to_string(&self.progress).map_err(|error| Failure::bug(DOING, error))?;
        let revision = self.export.revision + 1;
        if !self.ports.advance(&self.export, &progress).await? {
            match self.ports.export(&self.job.user).await? {
                // A call that seemed to fail, and was repeated.
                Some(export) if export.revision == revision && export.progress.as_ref() == Some(&progress) => {}
                Some(export) if export.id == self.job.id && export.state == StoredState::Pending => {
                    return Err(Failure::transient(DOING, "another turn has stored its own"));
                }
                _ => {
                    self.discard().await?;
                    return Ok(Stored::No);
                }
            }
        }
        self.export.revision = revision;
        Ok(Stored::Yes)
    }

    /// Deletes what this turn has stored. What earlier ones have stored is deleted by the erasure, or later by S3.
    async fn discard(&self) -> Result<(), Failure> {
        info!("export is gone");
        if let Some(upload) = &self.progress.upload {
            self.ports.abort(&self.object, upload).await?;
        }
        if let Some(last) = self.progress.directory_pieces.checked_sub(1) {
            self.ports.delete(&names::directory(&self.export, last)).await?;
        }
        match &self.progress.rest {
            Some(rest) => self.ports.delete(rest).await,
            None => Ok(()),
        }
    }

    async fn enqueue(&self) -> Result<(), Failure> {
        let next = self.job.next_turn().ok_or_else(|| Failure::bug("continue an export", "too many turns"))?;
        self.ports.enqueue(&next).await
    }

    /// Begins again, with a new upload.
    async fn restart(mut self) -> Result<(), Failure> {
        info!("export begins again");
        if let Some(upload) = &self.progress.upload {
            self.ports.abort(&self.object, upload).await?;
        }
        let Some(progress) = self.progress.restart() else {
            return self.fail("it began again too often").await;
        };
        self.archive = Archive::continue_at(progress.archive.clone(), Vec::new());
        self.progress = progress;
        let Stored::Yes = self.store_progress().await? else { return Ok(()) };
        self.enqueue().await
    }

    /// Ends the export without a file. Operators see the dead letter.
    async fn fail(&self, reason: &'static str) -> Result<(), Failure> {
        if let Some(upload) = &self.progress.upload {
            self.ports.abort(&self.object, upload).await?;
        }
        self.ports.fail(&self.export).await?;
        Err(Failure::bug("make an export", reason))
    }

    async fn complete(self) -> Result<(), Failure> {
        let upload = self.progress.upload.as_deref().unwrap_or_default();
        let is_complete = match self.ports.parts(&self.object, upload).await? {
            Ok(parts) => {
                let numbered = parts.iter().zip(1..).all(|((number, _), expected)| *number == expected);
                if !numbered || !self.progress.has_parts(parts.iter().map(|(_, etag)| etag.as_str())) {
                    return self.restart().await;
                }
                self.ports.complete(&self.object, upload, parts).await?.is_ok()
            }
            Err(NoUpload) => false,
        };
        // A call that seemed to fail may have completed it.
        if !is_complete && self.ports.size(&self.object).await? != Some(self.archive.written()) {
            return self.restart().await;
        }
        self.finish().await
    }

    async fn finish(mut self) -> Result<(), Failure> {
        // All entries but the document.
        let (size, files) = (self.archive.written(), self.archive.entries().saturating_sub(1));
        if !self.ports.finish(&self.export, size, files).await? {
            let stored = self.ports.export(&self.job.user).await?.filter(|export| export.id == self.job.id);
            if stored.is_none_or(|export| export.state != StoredState::Ready) {
                info!("export is gone");
                return self.ports.delete(&self.object).await;
            }
        }
        info!(files, megabytes = size >> 20, turns = self.job.turn + 1, "export is ready");
        let Some(ready) = self.ports.export(&self.job.user).await?.filter(|export| export.id == self.job.id) else {
            return self.ports.delete(&self.object).await;
        };
        self.export = ready;
        notify(self.ports, &self.export).await
    }
}
