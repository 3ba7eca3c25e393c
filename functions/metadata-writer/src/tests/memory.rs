//! S3, CloudFront, the queue of reports and the table `media` in memory. Each call is one step of a schedule.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    fmt::{Debug, Display},
    future::poll_fn,
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    task::Poll,
};

use derivatives::{File, Job, Ports as WorkerPorts, RenderResult, Rendered, Renderer};
use domain::media::{
    CurrentObject, Decision, Declared, Derivatives, Intent, MediaId, MediaItem, ObjectVersion, Picture, Position,
    Reason, Report, State, Variant, Visibility, is_invalidation_marker, is_public_key, item_prefix, variant_key,
};
use domain::{upload::Lane, user_report::ReportReason};
use function_kit::failure::Failure;
use store::media::WriteOutcome;

use crate::{
    handler::{Declarations, Items},
    story_files::StoryFiles,
};

/// The services. Clones share them.
#[derive(Clone, Default)]
pub struct Memory {
    shared: Rc<Inner>,
    /// Whether the task has looked at the original since it has read it.
    has_looked: Rc<Cell<bool>>,
    /// A hash of the task's calls and their results, which decide what it does next.
    observed: Rc<Cell<u64>>,
}

#[derive(Default)]
struct Inner {
    /// Whether the running task may take one step.
    turn: Cell<bool>,
    nonces: Cell<u32>,
    services: RefCell<Services>,
    trace: RefCell<Vec<String>>,
}

#[derive(Debug, Default)]
pub struct Services {
    /// The current version of the original.
    pub object: Option<ObjectVersion>,
    /// Whether only its owner may see it.
    pub is_private: bool,
    /// Open files of a hidden original, stored without a look at it since it was read.
    pub exposed: Vec<String>,
    /// The keys in the bucket of derivatives.
    pub files: BTreeSet<String>,
    /// Deleted files that the CDN may have cached.
    pub stale: BTreeSet<String>,
    /// The caller references that CloudFront knows.
    references: BTreeSet<String>,
    pub item: Option<MediaItem>,
    /// Whether some actor may take the item down. If not, the look whether it was taken down commutes with all other
    /// steps, and is none.
    pub can_be_taken_down: bool,
    /// Why the item was taken down, if it was.
    pub taken_down: Option<ReportReason>,
    /// Events of the operator's tool that the worker has not received.
    pub events: Vec<String>,
    /// Reports that metadata-writer has not received.
    pub reports: Vec<String>,
}

impl Memory {
    /// The same services, for one task.
    pub fn of_task(&self) -> Self {
        Self { has_looked: Rc::default(), observed: Rc::default(), ..self.clone() }
    }

    /// A hash of the task's calls and their results.
    pub fn observed(&self) -> u64 {
        self.observed.get()
    }

    /// A hash of what is stored.
    pub fn stored(&self) -> u64 {
        hash((self.shared.nonces.get(), format!("{:?}", self.shared.services.borrow())))
    }

    /// Allows the running task one step.
    pub fn give_turn(&self) {
        self.shared.turn.set(true);
    }

    /// Reads or changes the services without a step.
    pub fn with<T>(&self, change: impl FnOnce(&mut Services) -> T) -> T {
        change(&mut self.shared.services.borrow_mut())
    }

    /// Adds a line to the trace.
    pub fn note(&self, line: impl Display) {
        self.shared.trace.borrow_mut().push(line.to_string());
    }

    /// The steps so far.
    pub fn trace(&self) -> String {
        self.shared.trace.borrow().join("\n")
    }

    /// Waits for a turn, then changes the services in one step.
    async fn step<T: Debug>(&self, line: impl Display, change: impl FnOnce(&mut Services) -> T) -> T {
        poll_fn(|context| {
            if self.shared.turn.take() {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let line = line.to_string();
        let result = self.with(change);
        self.observed.set(hash((self.observed.get(), &line, format!("{result:?}"))));
        self.note(line);
        result
    }
}

impl Services {
    /// The declaration of the object.
    fn declared(&self) -> Declared {
        let visibility = if self.is_private { Visibility::Private } else { Visibility::Public };
        Declared { intent: Intent { visibility, ..Intent::default() }, ..Declared::default() }
    }

    fn is_current(&self, version: &ObjectVersion) -> bool {
        let object = self.object.as_ref();
        object.is_some_and(|object| object.etag == version.etag && version.has_id(object.id.as_deref()))
    }

    /// The keys of the files that the item names.
    pub fn named_files(&self) -> BTreeSet<String> {
        match self.item.as_ref().map(|item| &item.state) {
            Some(State::Ready(_, Some(Derivatives::Picture(picture)))) => {
                picture.variants.iter().map(|variant| variant.key.clone()).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// The position of the item.
    pub fn position(&self) -> Option<&Position> {
        self.item.as_ref().map(|item| &item.position)
    }
}

impl Memory {
    /// Reads the item in one step, as the operator's tool does.
    pub async fn read_item(&self) -> Option<MediaItem> {
        self.step("read the item", |services| services.item.clone()).await
    }

    /// Reads the current version of the original in one step.
    pub async fn read_object(&self) -> Option<ObjectVersion> {
        self.step("read the object", |services| services.object.clone()).await
    }

    /// Sends an event to the worker in one step.
    pub async fn send_event(&self, event: String) {
        self.step("send an event", |services| services.events.push(event)).await;
    }
}

impl WorkerPorts for Memory {
    type Originals = Self;

    fn originals(&self) -> &Self {
        self
    }

    async fn head(&self, _: &str, version: &ObjectVersion) -> Result<Option<Declared>, Failure> {
        let declared = Declarations::head(self, "", version).await?;
        self.has_looked.set(true);
        Ok(declared)
    }

    async fn is_taken_down(&self, _: MediaId) -> Result<bool, Failure> {
        if !self.with(|services| services.can_be_taken_down) {
            return Ok(false);
        }
        Ok(self.step("taken down?", |services| services.taken_down.is_some()).await)
    }

    async fn put(&self, file: File) -> Result<(), Failure> {
        self.step(format_args!("put {}", file.key), |services| {
            // It counts as cached by the CDN from now on.
            services.files.insert(file.key.clone());
            if services.is_private && is_public_key(&file.key) && !self.has_looked.get() {
                services.exposed.push(file.key.clone());
            }
        })
        .await;
        Ok(())
    }

    async fn list(&self, id: MediaId) -> Result<Vec<String>, Failure> {
        Ok(self
            .step("list", |services| {
                services.files.iter().filter(|key| key.starts_with(&item_prefix(id))).cloned().collect()
            })
            .await)
    }

    async fn delete(&self, keys: &[&str]) -> Result<(), Failure> {
        self.step(format_args!("delete {keys:?}"), |services| {
            for key in keys {
                if services.files.remove(*key) && !is_invalidation_marker(key) {
                    services.stale.insert((*key).to_owned());
                }
            }
        })
        .await;
        Ok(())
    }

    async fn invalidate(&self, _: MediaId, reference: &str, _: Option<&[&str]>) -> Result<(), Failure> {
        self.step(format_args!("invalidate {reference}"), |services| {
            // CloudFront does nothing for a known reference.
            if services.references.insert(reference.to_owned()) {
                services.stale.clear();
            }
        })
        .await;
        Ok(())
    }

    async fn report(&self, report: &Report) -> Result<(), Failure> {
        let body = serde_json::to_string(report).expect("JSON");
        self.step("report", |services| services.reports.push(body)).await;
        Ok(())
    }

    fn nonce(&self) -> String {
        self.shared.nonces.update(|nonce| nonce + 1);
        let nonce = self.shared.nonces.get();
        self.observed.set(hash((self.observed.get(), nonce)));
        nonce.to_string()
    }
}

impl Declarations for Memory {
    async fn head(&self, _: &str, version: &ObjectVersion) -> Result<Option<Declared>, Failure> {
        Ok(self.step("head", |services| services.is_current(version).then(|| services.declared())).await)
    }

    async fn current(&self, _: &str) -> Result<Option<CurrentObject>, Failure> {
        let object = |services: &mut Services| services.object.is_some().then(|| services.declared());
        let declared = self.step("head", object).await;
        Ok(declared.map(|declared| CurrentObject { size: 1, declared, lane: Lane::Fast }))
    }
}

impl Items for Memory {
    async fn put(&self, item: MediaItem) -> Result<WriteOutcome, Failure> {
        Ok(self
            .step(format_args!("item {}", item.position), |services| {
                if services.position().is_some_and(|position| *position >= item.position) {
                    return WriteOutcome::Superseded;
                }
                services.item = Some(match services.taken_down {
                    Some(reason) => item.clone().taken_down(reason),
                    None => item.clone(),
                });
                WriteOutcome::Stored
            })
            .await)
    }

    async fn decide(&self, decision: &Decision) -> Result<WriteOutcome, Failure> {
        Ok(self
            .step(format_args!("{decision:?}"), |services| {
                let Some(item) = services.item.take() else { return WriteOutcome::Superseded };
                let (upload, is_before) = (item.state.upload().cloned(), item.position < decision.position());
                let applies = match decision {
                    Decision::TakeDown { .. } => true,
                    Decision::Restore { .. } => services.taken_down.is_some(),
                };
                let Some(upload) = upload.filter(|_| is_before && applies) else {
                    services.item = Some(item);
                    return WriteOutcome::Superseded;
                };
                let item = MediaItem { position: decision.position(), state: State::Processing(upload), ..item };
                services.taken_down = match decision {
                    Decision::TakeDown { reason, .. } => Some(*reason),
                    Decision::Restore { .. } => None,
                };
                services.item = Some(match services.taken_down {
                    Some(reason) => item.taken_down(reason),
                    None => item,
                });
                WriteOutcome::Stored
            })
            .await)
    }
}

impl StoryFiles for Memory {
    /// The item is in no story: no step.
    async fn check(&self, _: MediaId) -> Result<(), Failure> {
        Ok(())
    }
}

/// The hash of a value, the same in all executions.
pub fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Renders two files, or fails.
pub struct TwoFiles {
    pub fails: bool,
}

impl Renderer<Memory> for TwoFiles {
    async fn render(&self, originals: &Memory, job: &Job<'_>) -> Result<RenderResult, Failure> {
        let read = |services: &mut Services| services.is_current(job.version).then(|| services.declared());
        let Some(declared) = originals.step("get", read).await else { return Ok(None) };
        originals.has_looked.set(false);
        let visibility = declared.intent.visibility;
        if self.fails {
            return Ok(Some((declared, Err(Reason::TooLong))));
        }
        let key = |hash| variant_key(job.id, &job.event.sequencer, visibility, (8, 8), hash, "webp");
        let keys = [key("a"), key("b")];
        let variant = |key: &String| Variant {
            key: key.clone(),
            content_type: "image/webp".to_owned(),
            width: 8,
            height: 8,
            size: 1,
        };
        let picture = Picture {
            width: 8,
            height: 8,
            thumb_hash: String::new(),
            dominant_colour: "#000000".to_owned(),
            variants: keys.iter().map(variant).collect(),
        };
        let file =
            |key| File { key, content_type: "image/webp".to_owned(), content: derivatives::Content::Bytes(vec![0]) };
        let files = keys.map(file).into();
        Ok(Some((declared, Ok(Rendered { derived: Derivatives::Picture(picture), detected_type: None, files }))))
    }
}
