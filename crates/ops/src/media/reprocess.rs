use std::{collections::HashMap, fmt};

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::media::{MediaId, MediaItem, ObjectVersion};
use serde::Serialize;
use store::media::{MAX_BATCH, MediaTable, Projection};

use super::{
    ReprocessOptions,
    plan::{Decision, Original, SkipReason, Worker, decide},
};
use crate::Session;

/// The maximum number of messages in one call of SQS.
const SEND_BATCH: usize = 10;

/// The number of originals by decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReprocessReport {
    /// Whether events were sent. `false`: the items were only counted.
    pub applied: bool,
    /// Pictures that are processed again.
    pub pictures: usize,
    /// Recordings that are processed again.
    pub recordings: usize,
    /// Originals without a row in the media table.
    pub unknown: usize,
    /// Items that were deleted.
    pub deleted: usize,
    /// Items whose original is missing or has changed.
    pub changed: usize,
    /// Items that cannot be replaced again: no further revision of their sequencer exists.
    #[serde(rename = "noRoom")]
    pub no_revision_left: usize,
}

/// Sends the events of originals to the workers again, or counts them.
///
/// # Errors
/// If a call of S3, DynamoDB or SQS fails. The command can be repeated.
pub async fn reprocess(session: &Session, options: &ReprocessOptions) -> Result<ReprocessReport> {
    let mut report = ReprocessReport { applied: options.apply, ..ReprocessReport::default() };
    let media = Media {
        session,
        table: MediaTable::new(session.dynamodb.clone(), session.output("MediaTableName")?.to_owned()),
        bucket: session.output("OriginalsBucketName")?,
    };
    if let Some(prefix) = &options.prefix {
        ensure!(!prefix.is_empty(), "the prefix is empty; expected one such as photo/");
        let pages = session.s3.list_objects_v2().bucket(media.bucket).prefix(prefix);
        let mut pages = pages.into_paginator().send();
        while let Some(page) = pages.next().await {
            let objects = page.context("cannot list the originals bucket")?.contents.unwrap_or_default();
            let originals: Vec<_> = objects.iter().filter_map(listed).collect();
            for batch in originals.chunks(MAX_BATCH) {
                media.process(options, batch, &mut report).await?;
            }
        }
    }
    for ids in options.id.chunks(MAX_BATCH) {
        let mut found = Vec::with_capacity(ids.len());
        for item in media.items(ids).await? {
            found.push((item.id, media.head(&item.key).await?));
        }
        let known = |id: &MediaId| found.iter().any(|(found, _)| found == id);
        report.unknown += ids.iter().filter(|id| !known(id)).count();
        media.process(options, &found, &mut report).await?;
    }
    Ok(report)
}

struct Media<'a> {
    session: &'a Session,
    table: MediaTable,
    bucket: &'a str,
}

impl Media<'_> {
    /// Decides about each original, and sends the events.
    async fn process(
        &self,
        options: &ReprocessOptions,
        originals: &[(MediaId, Option<Original>)],
        report: &mut ReprocessReport,
    ) -> Result<()> {
        let ids: Vec<_> = originals.iter().map(|(id, _)| *id).collect();
        let items: HashMap<_, _> = self.items(&ids).await?.into_iter().map(|item| (item.id, item)).collect();
        let (mut pictures, mut recordings) = (Vec::new(), Vec::new());
        for (id, original) in originals {
            match decide(items.get(id), original.as_ref(), options.new_revision) {
                Decision::Send(Worker::Thumbnailer, event) => pictures.push(event.to_notification()),
                Decision::Send(Worker::AudioWorker, event) => recordings.push(event.to_notification()),
                Decision::Skip(SkipReason::Unknown) => report.unknown += 1,
                Decision::Skip(SkipReason::Deleted) => report.deleted += 1,
                Decision::Skip(SkipReason::Changed) => report.changed += 1,
                Decision::Skip(SkipReason::NoRevisionLeft) => report.no_revision_left += 1,
            }
        }
        if options.apply {
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

    /// The original at `key`. `None` if it does not exist.
    async fn head(&self, key: &str) -> Result<Option<Original>> {
        let response = self.session.s3.head_object().bucket(self.bucket).key(key).send().await;
        match response {
            Ok(object) => Ok(original(object.content_length, object.e_tag.as_deref(), object.version_id)),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(anyhow!(error).context("cannot read an original")),
        }
    }

    async fn send(&self, queue: &str, bodies: &[String]) -> Result<()> {
        let url = self.session.output(queue)?;
        for batch in bodies.chunks(SEND_BATCH) {
            let mut request = self.session.sqs.send_message_batch().queue_url(url);
            for (at, body) in batch.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(body);
                request = request.entries(entry.build()?);
            }
            let response = request.send().await?;
            let failed = response.failed.len();
            ensure!(failed == 0, "SQS did not accept {failed} messages for {queue}; run the command again");
        }
        Ok(())
    }
}

fn listed(object: &aws_sdk_s3::types::Object) -> Option<(MediaId, Option<Original>)> {
    let key = object.key()?;
    // Consoles create such objects as "folders".
    (!key.ends_with('/')).then(|| (MediaId::of_key(key), original(object.size, object.e_tag.as_deref(), None)))
}

/// A list of objects does not name their versions.
fn original(size: Option<i64>, etag: Option<&str>, version_id: Option<String>) -> Option<Original> {
    let version = ObjectVersion { etag: etag?.trim_matches('"').to_owned(), id: version_id };
    Some(Original { size: u64::try_from(size?).ok()?, version })
}

impl fmt::Display for ReprocessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, pictures, recordings, unknown, deleted, changed, no_revision_left } = self;
        if *applied {
            write!(f, "Sent to the workers: {pictures} pictures, {recordings} recordings.")?;
        } else {
            write!(
                f,
                "Would be processed again: {pictures} pictures, {recordings} recordings. To process them: --apply"
            )?;
        }
        for (number, reason) in [
            (unknown, "are not in the media table: copy the original onto itself"),
            (deleted, "were deleted"),
            (changed, "are missing or have changed: their S3 event will arrive"),
            (no_revision_left, "cannot be replaced again: copy the original onto itself"),
        ] {
            if *number > 0 {
                write!(f, "\n{number} {reason}")?;
            }
        }
        Ok(())
    }
}
