use std::{collections::HashMap, fmt};

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::media::{MediaId, MediaItem};
use serde::Serialize;
use store::media::{MAX_BATCH, MediaTable, Projection};

use super::{
    Arguments,
    plan::{Decision, Original, SkipReason, Worker, decide},
};
use crate::Session;

/// Maximum number of messages of a call.
const MAX_SEND_BATCH: usize = 10;

/// The result of `reprocess`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReprocessReport {
    /// Whether events were sent, or the items were only counted.
    pub applied: bool,
    /// Number of pictures that are rendered again.
    pub pictures: usize,
    /// Number of recordings that are rendered again.
    pub recordings: usize,
    /// Originals without an item.
    pub unknown: usize,
    /// Deleted items.
    pub deleted: usize,
    /// Items whose original is missing or changed.
    pub changed: usize,
    /// Items without a next revision.
    pub no_revision: usize,
}

/// Sends events for items to the workers, or counts the items.
///
/// # Errors
/// If a call of S3, DynamoDB or SQS fails. The command can be repeated.
pub async fn reprocess(session: &Session, arguments: &Arguments) -> Result<ReprocessReport> {
    let mut report = ReprocessReport { applied: arguments.apply, ..ReprocessReport::default() };
    let media = Media {
        session,
        table: MediaTable::new(session.dynamodb.clone(), session.output("MediaTableName")?.to_owned()),
        bucket: session.output("OriginalsBucketName")?,
    };
    if let Some(prefix) = &arguments.prefix {
        ensure!(!prefix.is_empty(), "the prefix is empty; use, for example, photo/");
        let pages = session.s3.list_objects_v2().bucket(media.bucket).prefix(prefix);
        let mut pages = pages.into_paginator().send();
        while let Some(page) = pages.next().await {
            let objects = page.context("cannot list the originals")?.contents.unwrap_or_default();
            let originals: Vec<_> = objects.iter().filter_map(listed_original).collect();
            for batch in originals.chunks(MAX_BATCH) {
                media.process(arguments, batch, &mut report).await?;
            }
        }
    }
    for ids in arguments.id.chunks(MAX_BATCH) {
        let mut found = Vec::with_capacity(ids.len());
        for item in media.items(ids).await? {
            found.push((item.id, media.head_original(&item.key).await?));
        }
        let is_known = |id: &MediaId| found.iter().any(|(found, _)| found == id);
        report.unknown += ids.iter().filter(|id| !is_known(id)).count();
        media.process(arguments, &found, &mut report).await?;
    }
    Ok(report)
}

struct Media<'a> {
    session: &'a Session,
    table: MediaTable,
    bucket: &'a str,
}

impl Media<'_> {
    /// Decides about each original and sends the events.
    async fn process(
        &self,
        arguments: &Arguments,
        originals: &[(MediaId, Option<Original>)],
        report: &mut ReprocessReport,
    ) -> Result<()> {
        let ids: Vec<_> = originals.iter().map(|(id, _)| *id).collect();
        let items: HashMap<_, _> = self.items(&ids).await?.into_iter().map(|item| (item.id, item)).collect();
        let (mut pictures, mut recordings) = (Vec::new(), Vec::new());
        for (id, original) in originals {
            match decide(items.get(id), original.as_ref(), arguments.replace) {
                Decision::Send(Worker::Thumbnailer, event) => pictures.push(event.to_notification()),
                Decision::Send(Worker::AudioWorker, event) => recordings.push(event.to_notification()),
                Decision::Skip(SkipReason::Unknown) => report.unknown += 1,
                Decision::Skip(SkipReason::Deleted) => report.deleted += 1,
                Decision::Skip(SkipReason::Changed) => report.changed += 1,
                Decision::Skip(SkipReason::NoRevision) => report.no_revision += 1,
            }
        }
        if arguments.apply {
            self.send("ThumbnailQueueUrl", &pictures).await?;
            self.send("AudioQueueUrl", &recordings).await?;
        }
        report.pictures += pictures.len();
        report.recordings += recordings.len();
        Ok(())
    }

    async fn items(&self, ids: &[MediaId]) -> Result<Vec<MediaItem>> {
        Ok(self.table.get_many(ids, Projection::Brief).await?)
    }

    /// The original at `key`, or `None` if it does not exist.
    async fn head_original(&self, key: &str) -> Result<Option<Original>> {
        let output = self.session.s3.head_object().bucket(self.bucket).key(key).send().await;
        match output {
            Ok(object) => Ok(original(object.content_length, object.e_tag.as_deref())),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(anyhow!(error).context("cannot read the properties of an original")),
        }
    }

    async fn send(&self, queue: &str, bodies: &[String]) -> Result<()> {
        let url = self.session.output(queue)?;
        for batch in bodies.chunks(MAX_SEND_BATCH) {
            let mut request = self.session.sqs.send_message_batch().queue_url(url);
            for (index, body) in batch.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
                request = request.entries(entry.build()?);
            }
            let output = request.send().await?;
            ensure!(output.failed.is_empty(), "cannot send {} messages to {queue}: try again", output.failed.len());
        }
        Ok(())
    }
}

fn listed_original(object: &aws_sdk_s3::types::Object) -> Option<(MediaId, Option<Original>)> {
    let key = object.key()?;
    // The AWS console creates empty objects for folders.
    (!key.ends_with('/')).then(|| (MediaId::of_key(key), original(object.size, object.e_tag.as_deref())))
}

fn original(size: Option<i64>, etag: Option<&str>) -> Option<Original> {
    let etag = etag?.trim_matches('"').to_owned();
    Some(Original { size: u64::try_from(size?).ok()?, etag })
}

impl fmt::Display for ReprocessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, pictures, recordings, unknown, deleted, changed, no_revision } = self;
        if *applied {
            write!(f, "Sent events for {pictures} pictures and {recordings} recordings.")?;
        } else {
            write!(f, "Would render again: {pictures} pictures, {recordings} recordings. Add --apply to do it.")?;
        }
        for (count, text) in [
            (unknown, "originals have no item: copy the object onto itself"),
            (deleted, "items are deleted"),
            (changed, "originals are missing or changed: an event of S3 will follow"),
            (no_revision, "items have been replaced too often: copy the object onto itself"),
        ] {
            if *count > 0 {
                write!(f, "\n{count} {text}")?;
            }
        }
        Ok(())
    }
}
