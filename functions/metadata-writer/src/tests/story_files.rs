//! Items that are sent to the function that changes the visibility of files.

use std::cell::{Cell, RefCell};

use domain::media::{
    CurrentObject, Decision, Declared, Intent, MediaId, MediaItem, ObjectVersion, Original, Outcome, Reason, Report,
    Sequencer, Worker,
};
use function_kit::{
    failure::{Failure, Kind},
    metrics::Metrics,
};
use serde_json::json;
use store::media::WriteOutcome;

use crate::{
    handler::{Declarations, Items, Ports, Sender, handle},
    story_files::StoryFiles,
};

const KEY: &str = "photo/mina/a";

/// An original with or without a post, and a table that has it already or not.
struct Services {
    post: Option<&'static str>,
    outcome: WriteOutcome,
    sent: RefCell<Vec<MediaId>>,
    queue_is_down: Cell<bool>,
}

impl Services {
    fn new(post: Option<&'static str>, outcome: WriteOutcome) -> Self {
        Self { post, outcome, sent: RefCell::default(), queue_is_down: Cell::new(false) }
    }

    fn declared(&self) -> Declared {
        let post = self.post.and_then(|post| post.to_owned().try_into().ok());
        Declared { intent: Intent { post, ..Intent::default() }, ..Declared::default() }
    }

    async fn handle(&self, sender: Sender, body: &str) -> Result<(), Failure> {
        let ports = Ports { originals: self, table: self, story_files: self, metrics: Metrics::of("test") };
        handle(&ports, sender, body).await
    }
}

impl Declarations for &Services {
    async fn head(&self, _: &str, _: &ObjectVersion) -> Result<Option<Declared>, Failure> {
        Ok(Some(self.declared()))
    }

    async fn current(&self, _: &str) -> Result<Option<CurrentObject>, Failure> {
        let lane = domain::upload::Lane::Fast;
        Ok(Some(CurrentObject { size: 1, declared: self.declared(), lane }))
    }
}

impl Items for &Services {
    async fn put(&self, _: MediaItem) -> Result<WriteOutcome, Failure> {
        Ok(self.outcome)
    }

    async fn decide(&self, _: &Decision) -> Result<WriteOutcome, Failure> {
        Ok(self.outcome)
    }
}

impl StoryFiles for &Services {
    async fn check(&self, item: MediaId) -> Result<(), Failure> {
        if self.queue_is_down.take() {
            return Err(Failure::transient("send an item", "unavailable"));
        }
        self.sent.borrow_mut().push(item);
        Ok(())
    }
}

fn event(name: &str) -> String {
    let object = json!({"key": KEY, "size": 1, "eTag": "e", "sequencer": "0A"});
    json!({"Records": [{"eventName": name, "eventTime": "2026-11-22T00:00:00.000Z", "s3": {"object": object}}]})
        .to_string()
}

fn report(services: &Services) -> String {
    let original = Original {
        id: MediaId::of_key(KEY),
        key: KEY.to_owned(),
        kind: domain::media::Kind::Photo,
        owner: "mina".to_owned(),
        size: 1,
        uploaded_at: "2026-11-22T00:00:00Z".parse().expect("a time"),
        sequencer: Sequencer::parse("0A").expect("a sequencer"),
        declared: services.declared(),
    };
    let report = Report { original, outcome: Outcome::Failed { reason: Reason::Corrupt }, detected_type: None };
    serde_json::to_string(&report).expect("JSON")
}

#[tokio::test]
async fn item_with_a_post_is_sent_after_each_event_and_report_also_if_they_are_repeated() {
    for outcome in [WriteOutcome::Stored, WriteOutcome::Superseded] {
        for (post, count) in [(Some("s1"), 1), (None, 0)] {
            let services = Services::new(post, outcome);
            services.handle(Sender::S3, &event("ObjectCreated:Put")).await.expect("stored");
            assert_eq!(*services.sent.borrow(), vec![MediaId::of_key(KEY); count]);
            services.handle(Sender::Worker(Worker::Pictures), &report(&services)).await.expect("stored");
            assert_eq!(services.sent.borrow().len(), 2 * count);
            services.handle(Sender::S3, &event("ObjectRemoved:Delete")).await.expect("stored");
            assert_eq!(services.sent.borrow().len(), 2 * count, "a deleted item has no visibility");
        }
    }
}

#[tokio::test]
async fn restored_item_is_sent_and_one_that_is_taken_down_is_not() {
    let services = Services::new(None, WriteOutcome::Stored);
    let decision = |kind: &str| {
        let kind = format!("app.iyagi.media.{kind}");
        json!({"type": kind, "id": MediaId::of_key(KEY), "sequencer": "0A", "reason": "hate"}).to_string()
    };
    services.handle(Sender::Operator, &decision("take-down")).await.expect("taken down");
    assert_eq!(services.sent.borrow().len(), 0);
    services.handle(Sender::Operator, &decision("restore")).await.expect("restored");
    assert_eq!(services.sent.borrow().len(), 1);
}

#[tokio::test]
async fn failed_send_fails_the_message() {
    let services = Services::new(Some("s1"), WriteOutcome::Stored);
    services.queue_is_down.set(true);
    let failure = services.handle(Sender::S3, &event("ObjectCreated:Put")).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Transient);
}
