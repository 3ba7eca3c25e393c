use derivatives::Originals;
use domain::media::{
    CurrentObject, Decision, Declared, MediaId, MediaItem, Message, ObjectChange, ObjectEvent, ObjectVersion, Original,
    OriginalKey, Report, Worker,
};
use function_kit::{
    failure::Failure,
    metrics::{Metrics, Unit},
};
use jiff::Timestamp;
use store::media::{MediaTable, WriteOutcome};
use tracing::{info, instrument, warn};

use crate::story_files::{StoryFiles, StoryFilesQueue};

/// Who may have sent a message, by its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// S3. Also a worker of the version before, whose reports may still wait in the queue.
    S3,
    /// This worker only.
    Worker(Worker),
    /// An operator, who invokes the function by hand.
    Operator,
}

/// The services that the handler uses.
pub struct Ports<O = Originals, T = MediaTable, S = StoryFilesQueue> {
    pub originals: O,
    pub table: T,
    pub story_files: S,
    /// Counts `Items` by `Outcome`; observes `EventToItem`.
    pub metrics: Metrics,
}

/// The bucket of originals: [`Originals`] in production, memory in tests.
pub trait Declarations {
    /// The declaration of the object at `key`, if `version` is its current version; else `None`.
    async fn head(&self, key: &str, version: &ObjectVersion) -> Result<Option<Declared>, Failure>;

    /// The current object at `key`; `None` if it has been deleted.
    async fn current(&self, key: &str) -> Result<Option<CurrentObject>, Failure>;
}

/// The table `media`: [`MediaTable`] in production, memory in tests.
pub trait Items {
    /// Stores an item, unless the table has a later position. What was taken down stays so.
    async fn put(&self, item: MediaItem) -> Result<WriteOutcome, Failure>;

    /// Applies an operator's decision, unless the item was deleted or the table has a later position.
    async fn decide(&self, decision: &Decision) -> Result<WriteOutcome, Failure>;
}

impl Declarations for Originals {
    async fn head(&self, key: &str, version: &ObjectVersion) -> Result<Option<Declared>, Failure> {
        self.head_if_current(key, version).await
    }

    async fn current(&self, key: &str) -> Result<Option<CurrentObject>, Failure> {
        Self::head(self, key).await
    }
}

impl Items for MediaTable {
    async fn put(&self, item: MediaItem) -> Result<WriteOutcome, Failure> {
        Self::put(self, item).await
    }

    async fn decide(&self, decision: &Decision) -> Result<WriteOutcome, Failure> {
        Self::decide(self, decision).await
    }
}

/// Folds one message into the table. Late and repeated messages change nothing.
///
/// # Errors
/// If the message is none that `sender` sends, or a service fails.
pub async fn handle<O: Declarations, T: Items, S: StoryFiles>(
    ports: &Ports<O, T, S>,
    sender: Sender,
    body: &str,
) -> Result<(), Failure> {
    let message = Message::parse(body).map_err(|error| Failure::bug("read the message", error))?;
    match message {
        Message::Report(report) => Box::pin(fold(ports, sender, *report)).await,
        Message::Decision(decision) if sender == Sender::Operator => decide(ports, &decision).await,
        Message::Decision(_) => Err(Failure::bug("read the message", "only operators decide about items")),
        // A worker that forged events could delete items of any kind.
        Message::Notification(_) if matches!(sender, Sender::Worker(_)) => {
            Err(Failure::bug("read the message", "a worker sent an S3 event"))
        }
        Message::Notification(notification) => {
            for name in &notification.unknown {
                warn!(name, "ignored an S3 event of an unknown family");
            }
            for event in &notification.events {
                // Boxed, because the compiler limits the depth of nested futures.
                Box::pin(record(ports, event)).await?;
            }
            Ok(())
        }
    }
}

/// Records the outcome of an original. Everything that S3 or the key say is taken from them, not from the report.
#[instrument(level = "error", name = "report", skip_all, fields(media_id = %MediaId::of_key(&report.original.key)))]
async fn fold<O: Declarations, T: Items, S: StoryFiles>(
    ports: &Ports<O, T, S>,
    sender: Sender,
    report: Report,
) -> Result<(), Failure> {
    let worker = match sender {
        Sender::S3 | Sender::Operator => None,
        Sender::Worker(worker) => Some(worker),
    };
    report.check_identity(worker).map_err(|error| Failure::bug("believe a report", error))?;
    let current = ports.originals.current(&report.original.key).await?;
    let report = match current {
        Some(current) => report.with_object(current).map_err(|error| Failure::bug("believe a report", error))?,
        None => None,
    };
    match report {
        Some(report) => store(ports, MediaItem::from_report(report)).await,
        None => {
            // The deletion or replacement has an event of its own.
            info!("deleted or replaced before the report was recorded");
            Ok(())
        }
    }
}

/// Records the creation or removal of an original.
#[instrument(level = "error", name = "event", skip_all, fields(media_id = %MediaId::of_key(&event.key)))]
async fn record<O: Declarations, T: Items, S: StoryFiles>(
    ports: &Ports<O, T, S>,
    event: &ObjectEvent,
) -> Result<(), Failure> {
    if let Some(item) = item(&ports.originals, event).await? {
        store(ports, item).await?;
        let took = Timestamp::now().duration_since(event.at).as_millis_f64();
        ports.metrics.observe("EventToItem", Unit::Milliseconds, took.max(0.0));
    }
    Ok(())
}

/// The item in the state that follows from an event; `None` if the event changes no item.
async fn item(originals: &impl Declarations, event: &ObjectEvent) -> Result<Option<MediaItem>, Failure> {
    if let Err(error) = OriginalKey::parse(&event.key) {
        // An object that was written by hand: without an owner it is not media.
        warn!(sequencer = %event.sequencer, %error, "ignored an object with another key");
        return Ok(None);
    }
    let item = match &event.change {
        ObjectChange::Removed => MediaItem::deleted(event),
        ObjectChange::Created { size, version } => match originals.head(&event.key, version).await? {
            Some(declared) => Original::of(event, *size, declared).map(MediaItem::processing),
            // Its visibility can no longer be read. The deletion or replacement has an event of its own.
            None => {
                info!(media_id = %MediaId::of_key(&event.key), "deleted or replaced before it was recorded");
                return Ok(None);
            }
        },
    };
    item.map(Some).map_err(|error| Failure::bug("name the owner", error))
}

/// Applies an operator's decision. The operator's tool reads the item afterwards.
#[instrument(level = "error", name = "decision", skip_all, fields(media_id = %decision.id()))]
async fn decide<O, T: Items, S: StoryFiles>(ports: &Ports<O, T, S>, decision: &Decision) -> Result<(), Failure> {
    let position = decision.position().to_string();
    let outcome = ports.table.decide(decision).await?;
    match decision {
        Decision::TakeDown { reason, .. } => info!(position, reason = reason.as_ref(), ?outcome, "take-down"),
        Decision::Restore { .. } => {
            info!(position, ?outcome, "restoration");
            // The story may have changed since the item was taken down.
            ports.story_files.check(decision.id()).await?;
        }
    }
    Ok(())
}

/// Stores an item. If it may belong to a story, has its visibility compared with the story's: the story may be older than
/// the file, and a file that is being processed is not shown to more people before its report.
async fn store<O, T: Items, S: StoryFiles>(ports: &Ports<O, T, S>, item: MediaItem) -> Result<(), Failure> {
    let (id, position) = (item.id, item.position.to_string());
    let is_of_post = item.state.upload().is_some_and(|upload| upload.declared.intent.post.is_some());
    let outcome = match ports.table.put(item).await? {
        WriteOutcome::Stored => "stored",
        WriteOutcome::Superseded => "superseded",
    };
    ports.metrics.count_kind("Items", ("Outcome", outcome), 1);
    info!(media_id = %id, position, outcome, "media item");
    // Also if it was stored before: the process may have ended in between.
    if is_of_post { ports.story_files.check(id).await } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::{
            put_item::{PutItemError, PutItemOutput},
            update_item::UpdateItemOutput,
        },
        types::error::ConditionalCheckFailedException,
    };
    use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::media::{
        Derivatives, Intent, Outcome, Picture, Reason, Report, Sequencer, Variant, Visibility, variant_key,
    };
    use function_kit::failure::Kind;
    use serde_json::json;

    use super::*;

    fn ports(put: &Rule, head: &Rule) -> Ports {
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [head]);
        Ports {
            originals: Originals { s3, bucket: "originals".to_owned() },
            table: MediaTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [put]), "media".to_owned()),
            // Items of these tests have no post.
            story_files: StoryFilesQueue::new(
                mock_client!(aws_sdk_sqs, RuleMode::MatchAny, []),
                "https://sqs/s".into(),
            ),
            metrics: Metrics::of("metadata-writer"),
        }
    }

    fn notification(name: &str, keys: &[&str]) -> String {
        let records: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "eventName": name, "eventTime": "2026-11-22T00:00:00.000Z",
                    "s3": {"object": {"key": key, "size": 1, "eTag": "e", "sequencer": "0A"}}
                })
            })
            .collect();
        json!({ "Records": records }).to_string()
    }

    fn created(keys: &[&str]) -> String {
        notification("ObjectCreated:Put", keys)
    }

    fn stored() -> Rule {
        mock!(Client::put_item).then_output(|| PutItemOutput::builder().build())
    }

    fn declaring(visibility: &'static str) -> Rule {
        mock!(aws_sdk_s3::Client::head_object)
            .match_requests(|request| request.if_match() == Some("\"e\""))
            .then_output(move || {
                HeadObjectOutput::builder().content_length(1).metadata("visibility", visibility).build()
            })
    }

    fn answering(status: u16) -> Rule {
        mock!(aws_sdk_s3::Client::head_object).then_http_response(move || {
            let status = status.try_into().expect("a status");
            aws_smithy_runtime_api::http::Response::new(status, aws_sdk_s3::primitives::SdkBody::empty())
        })
    }

    #[tokio::test]
    async fn item_is_stored_with_its_position_and_declared_visibility() {
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                let visibility = request.item().and_then(|item| item.get("visibility"));
                request.condition_expression()
                    == Some("attribute_not_exists(id) OR (#position < :position AND attribute_not_exists(taken_down))")
                    && values.and_then(|values| values.get(":position")).and_then(|value| value.as_s().ok())
                        == Some(&"0A000000000000000000000000000000.0".to_owned())
                    && visibility.and_then(|value| value.as_s().ok()) == Some(&"private".to_owned())
            })
            .then_output(|| PutItemOutput::builder().build());
        let ports = ports(&put, &declaring("private"));
        handle(&ports, Sender::S3, &created(&["photo/mina/a.jpg"])).await.expect("stored");
        assert_eq!(put.num_calls(), 1);
    }

    #[tokio::test]
    async fn superseded_item_is_not_a_failure() {
        let put = mock!(Client::put_item).then_error(|| {
            PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
        });
        handle(&ports(&put, &declaring("public")), Sender::S3, &created(&["photo/mina/a.jpg"]))
            .await
            .expect("superseded");
        assert_eq!(put.num_calls(), 1);
    }

    #[tokio::test]
    async fn only_operators_take_items_down() {
        let id = MediaId::of_key(KEY);
        let body =
            json!({"type": "app.iyagi.media.take-down", "id": id, "sequencer": "0A", "reason": "hate"}).to_string();
        let update = mock!(Client::update_item)
            .match_requests(move |request| {
                let reason = request.expression_attribute_values().and_then(|values| values.get(":taken_down"));
                request.condition_expression() == Some("#position < :position AND #state <> :deleted")
                    && reason.and_then(|value| value.as_s().ok()).map(String::as_str) == Some("hate")
            })
            .then_output(|| UpdateItemOutput::builder().build());
        for sender in [Sender::S3, Sender::Worker(Worker::Pictures), Sender::Worker(Worker::Sound)] {
            let failure = handle(&ports(&update, &declaring("public")), sender, &body).await.expect_err("a failure");
            assert_eq!((failure.kind, update.num_calls()), (Kind::Bug, 0), "{sender:?}");
        }
        handle(&ports(&update, &declaring("public")), Sender::Operator, &body).await.expect("taken down");
        assert_eq!(update.num_calls(), 1);
    }

    #[tokio::test]
    async fn object_without_owner_is_ignored_and_the_rest_is_stored() {
        let (put, head) = (stored(), declaring("public"));
        handle(&ports(&put, &head), Sender::S3, &created(&["photo/x.jpg", "photo/mina/a.jpg"])).await.expect("stored");
        assert_eq!((put.num_calls(), head.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn deleted_or_replaced_original_is_not_stored() {
        for status in [404, 412] {
            let (put, head) = (stored(), answering(status));
            handle(&ports(&put, &head), Sender::S3, &created(&["photo/mina/a.jpg"])).await.expect("ignored");
            assert_eq!((put.num_calls(), head.num_calls()), (0, 1), "{status}");
        }
    }

    #[tokio::test]
    async fn item_of_unknown_visibility_is_not_stored() {
        let (put, forbidden) = (stored(), answering(403));
        let failure =
            handle(&ports(&put, &forbidden), Sender::S3, &created(&["photo/mina/a.jpg"])).await.expect_err("a failure");
        assert_eq!((failure.kind, put.num_calls()), (Kind::Transient, 0));
        let unreachable = mock!(aws_sdk_s3::Client::head_object).then_error(|| HeadObjectError::unhandled("timeout"));
        let failure = handle(&ports(&put, &unreachable), Sender::S3, &created(&["photo/mina/a.jpg"]))
            .await
            .expect_err("a failure");
        assert_eq!((failure.kind, put.num_calls()), (Kind::Transient, 0));
    }

    #[tokio::test]
    async fn removal_is_stored_without_reading_the_original() {
        let (put, head) = (stored(), declaring("public"));
        let removed = notification("ObjectRemoved:Delete", &["audio/mina/a"]);
        handle(&ports(&put, &head), Sender::S3, &removed).await.expect("stored");
        assert_eq!((put.num_calls(), head.num_calls()), (1, 0));
    }

    #[tokio::test]
    async fn unreadable_message_is_a_bug() {
        let failure =
            handle(&ports(&stored(), &declaring("public")), Sender::S3, "not JSON").await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Bug);
    }

    const KEY: &str = "photo/mina/a.webp";

    fn report(outcome: Outcome, visibility: Visibility) -> String {
        let event = ObjectEvent {
            key: KEY.to_owned(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change: ObjectChange::Created { size: 1, version: ObjectVersion::of_etag("e") },
        };
        let declared = Declared { content_type: None, intent: Intent { visibility, ..Intent::default() } };
        let original = Original::of(&event, 1, declared).expect("owned");
        serde_json::to_string(&Report { original, outcome, detected_type: None }).expect("JSON")
    }

    fn ready(key: String) -> Outcome {
        let variant = Variant { key, content_type: "image/webp".to_owned(), width: 8, height: 8, size: 1 };
        Outcome::Ready(Derivatives::Picture(Picture {
            width: 8,
            height: 8,
            thumb_hash: String::new(),
            dominant_colour: "#000000".to_owned(),
            variants: vec![variant],
        }))
    }

    fn current(visibility: &'static str) -> Rule {
        mock!(aws_sdk_s3::Client::head_object).match_requests(|request| request.if_match().is_none()).then_output(
            move || HeadObjectOutput::builder().content_length(1).metadata("visibility", visibility).build(),
        )
    }

    fn of_generation(sequencer: &str, visibility: Visibility) -> String {
        let sequencer = Sequencer::parse(sequencer).expect("a sequencer");
        variant_key(MediaId::of_key(KEY), &sequencer, visibility, (8, 8), "c0ffee", "webp")
    }

    #[tokio::test]
    async fn report_is_stored_only_with_files_of_its_generation() {
        for (sequencer, visibility, is_stored) in [
            ("0A", Visibility::Private, true),
            ("0B", Visibility::Private, false),
            // It needs no signature.
            ("0A", Visibility::Public, false),
        ] {
            let (put, head) = (stored(), current("private"));
            let body = report(ready(of_generation(sequencer, visibility)), Visibility::Private);
            let result = handle(&ports(&put, &head), Sender::Worker(Worker::Pictures), &body).await;
            match result {
                Ok(()) => assert!(is_stored),
                Err(failure) => assert!(!is_stored && failure.kind == Kind::Bug, "{failure}"),
            }
            assert_eq!(put.num_calls(), usize::from(is_stored));
        }
    }

    #[tokio::test]
    async fn report_with_another_visibility_than_the_object_is_left_out() {
        let (put, head) = (stored(), current("private"));
        let body = report(ready(of_generation("0A", Visibility::Public)), Visibility::Public);
        handle(&ports(&put, &head), Sender::Worker(Worker::Pictures), &body).await.expect("left out");
        assert_eq!((put.num_calls(), head.num_calls()), (0, 1));
    }

    #[tokio::test]
    async fn report_about_a_deleted_object_is_left_out() {
        let (put, head) = (stored(), answering(404));
        let body = report(Outcome::Failed { reason: Reason::Corrupt }, Visibility::Public);
        handle(&ports(&put, &head), Sender::Worker(Worker::Pictures), &body).await.expect("left out");
        assert_eq!(put.num_calls(), 0);
    }

    #[tokio::test]
    async fn worker_can_report_nothing_about_other_kinds_and_send_no_events() {
        let removed = notification("ObjectRemoved:Delete", &[KEY]);
        let failed = report(Outcome::Failed { reason: Reason::Corrupt }, Visibility::Public);
        for body in [removed, failed] {
            let (put, head) = (stored(), current("public"));
            let failure =
                handle(&ports(&put, &head), Sender::Worker(Worker::Sound), &body).await.expect_err("a failure");
            assert_eq!((failure.kind, put.num_calls()), (Kind::Bug, 0));
        }
    }
}
