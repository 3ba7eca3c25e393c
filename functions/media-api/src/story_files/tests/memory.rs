//! A story, a file and the services around them in memory. Each call waits for its turn and is atomic then.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use ::interleavings::Gate;
use domain::{
    graph::Position,
    media::{
        Declared, Intent, MediaId, MediaItem, ObjectChange, ObjectEvent, ObjectVersion, Original, Outcome, Post,
        Reason, Report, Sequencer, Visibility,
    },
    push::{Register, Registers},
    story_files::{DrivingStory, StoryFiles, StoryPage},
};
use function_kit::failure::Failure;
use store::media::{Page, SortKey};

use super::super::Backend;
use crate::{
    originals::{Copied, Head},
    visibility::{Objects, Stories},
};

/// Shared by all processes.
#[derive(Clone)]
pub struct Memory(Rc<World>);

#[derive(Default)]
pub struct World {
    gate: Gate,
    /// The row of the story in `audience`.
    registers: RefCell<Registers>,
    /// Visibility and number of the current version of the original.
    object: Cell<Option<(Visibility, u8)>>,
    /// The row of the table `media`.
    item: RefCell<Option<MediaItem>>,
    is_indexed: Cell<bool>,
    /// Messages, events and reports that are not delivered yet.
    pub sent: RefCell<Vec<Sent>>,
    /// Messages that SQS delivers later than all others.
    pub delayed: RefCell<Vec<Sent>>,
    /// Visibilities that copies have set.
    pub copied: RefCell<Vec<Visibility>>,
    /// A defect: metadata-writer sends no items.
    pub items_are_not_sent: Cell<bool>,
}

/// Something to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// To the queue.
    Message(String),
    /// A version of the original, to metadata-writer and the worker.
    Event(u8),
    /// The worker has processed a version of the original with this visibility.
    Report(u8, Visibility),
    /// The index gets the item.
    Index,
}

impl Memory {
    pub fn behind(gate: Gate) -> Self {
        Self(Rc::new(World { gate, ..World::default() }))
    }

    pub fn world(&self) -> &World {
        &self.0
    }

    async fn call(&self, name: &'static str) -> &World {
        self.0.gate.pass(name).await;
        &self.0
    }

    pub fn story(&self) -> Option<DrivingStory> {
        DrivingStory::of(&self.0.registers.borrow())
    }

    pub fn object(&self) -> Option<Visibility> {
        self.0.object.get().map(|(visibility, _)| visibility)
    }

    pub fn row(&self) -> Option<MediaItem> {
        self.0.item.borrow().clone()
    }

    fn send(&self, sent: Sent) {
        self.0.sent.borrow_mut().push(sent);
    }

    fn next_version(&self) -> u8 {
        self.0.object.get().map_or(1, |(_, version)| version + 1)
    }

    /// The client uploads the file.
    pub async fn upload(&self, visibility: Visibility) {
        let world = self.call("upload").await;
        let version = self.next_version();
        world.object.set(Some((visibility, version)));
        self.send(Sent::Event(version));
    }

    /// `push-fanout` projects a change of the story, and sends it.
    pub async fn project(&self, name: &'static str, commit: u64, value: Option<&'static str>) {
        let register = Register { position: Position::new(commit, 1).into(), value: value.map(str::to_owned) };
        let world = self.call("project").await;
        let is_later = |known: &Register| known.to_string() > register.to_string();
        if !world.registers.borrow().get(name).is_some_and(is_later) {
            world.registers.borrow_mut().insert(name.to_owned(), register);
        }
        self.call("send the story").await;
        self.send(message(&StoryFiles::Story(StoryPage::first(story()))));
    }

    /// `metadata-writer` records an event.
    pub async fn record(&self, version: u8) {
        let object = self.call("head of the event").await.object.get();
        let Some((visibility, _)) = object.filter(|(_, current)| *current == version) else { return };
        self.store(MediaItem::processing(original(version, visibility))).await;
    }

    /// `metadata-writer` records a report, unless the original has changed.
    pub async fn fold(&self, version: u8, visibility: Visibility) {
        if self.call("head of the report").await.object.get() != Some((visibility, version)) {
            return;
        }
        let (original, outcome) = (original(version, visibility), Outcome::Failed { reason: Reason::Corrupt });
        self.store(MediaItem::from_report(Report { original, outcome, detected_type: None })).await;
    }

    async fn store(&self, item: MediaItem) {
        let world = self.call("store the item").await;
        let (id, known) = (item.id, self.row());
        if known.as_ref().is_none_or(|known| known.position < item.position) {
            if known.is_none() {
                self.send(Sent::Index);
            }
            world.item.replace(Some(item));
        }
        if !self.call("send the item").await.items_are_not_sent.get() {
            self.send(message(&StoryFiles::File { item: id }));
        }
    }

    /// The worker processes a version, unless the original has changed.
    pub async fn process(&self, version: u8) {
        let object = self.call("process").await.object.get();
        let Some((visibility, _)) = object.filter(|(_, current)| *current == version) else { return };
        self.call("report").await;
        self.send(Sent::Report(version, visibility));
    }

    /// The index gets the item.
    pub async fn index(&self) {
        self.call("index").await.is_indexed.set(true);
    }
}

pub fn story() -> Post {
    "s1".to_owned().try_into().expect("a post")
}

fn message(message: &StoryFiles) -> Sent {
    Sent::Message(serde_json::to_string(message).expect("JSON"))
}

pub fn original(version: u8, visibility: Visibility) -> Original {
    let event = ObjectEvent {
        key: "photo/mina/a".to_owned(),
        at: "2026-11-22T00:00:00Z".parse().expect("a time"),
        sequencer: Sequencer::parse(&format!("{version:02X}")).expect("a sequencer"),
        change: ObjectChange::Created { size: 1, version: ObjectVersion::of_etag("e") },
    };
    let intent = Intent { post: Some(story()), visibility, ..Intent::default() };
    Original::of(&event, 1, Declared { intent, ..Declared::default() }).expect("owned")
}

impl Stories for Memory {
    async fn driving_story(&self, _: &Post) -> Result<Option<DrivingStory>, Failure> {
        self.call("read the story").await;
        Ok(self.story())
    }
}

impl Objects for Memory {
    async fn head(&self, _: &str) -> Result<Option<Head>, Failure> {
        let object = self.call("head").await.object.get();
        // A copy has the same ETag.
        Ok(object.map(|(visibility, _)| Head {
            etag: "e".to_owned(),
            content_type: None,
            metadata: HashMap::from([("visibility".to_owned(), visibility.as_ref().to_owned())]),
        }))
    }

    async fn copy_onto_itself(&self, _: &str, head: Head) -> Result<Copied, Failure> {
        let world = self.call("copy").await;
        let visibility = head.metadata["visibility"].parse().expect("a visibility");
        let version = self.next_version();
        world.object.set(Some((visibility, version)));
        world.copied.borrow_mut().push(visibility);
        self.send(Sent::Event(version));
        Ok(Copied::Copied)
    }
}

impl Backend for Memory {
    async fn item(&self, _: MediaId) -> Result<Option<MediaItem>, Failure> {
        self.call("read the item").await;
        Ok(self.row())
    }

    async fn items(&self, _: &str, _: &Post, _: Option<&SortKey>) -> Result<Page, Failure> {
        let is_indexed = self.call("list").await.is_indexed.get();
        Ok(Page { items: self.row().filter(|_| is_indexed).into_iter().collect(), next: None })
    }

    async fn send_files(&self, items: &[MediaId]) -> Result<(), Failure> {
        for item in items {
            self.call("send a file").await;
            self.send(message(&StoryFiles::File { item: *item }));
        }
        Ok(())
    }

    async fn send_page(&self, page: StoryPage, delay: i32) -> Result<(), Failure> {
        let world = self.call("send a page").await;
        let queue = if delay > 0 { &world.delayed } else { &world.sent };
        queue.borrow_mut().push(message(&StoryFiles::Story(page)));
        Ok(())
    }
}
