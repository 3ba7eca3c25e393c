use std::{collections::HashMap, fmt};

use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::media::{MediaId, MediaItem};
use serde::Serialize;
use store::media::{MAX_BATCH, MediaTable, Projection};

use super::{
    Order,
    plan::{Decision, Original, Why, Worker, decide},
};
use crate::Session;

/// The most messages that one call sends.
const SEND_BATCH: usize = 10;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reprocessed {
    /// Whether workers were told; else the items were only counted.
    pub applied: bool,
    /// Pictures that are made again.
    pub pictures: usize,
    /// Recordings that are.
    pub recordings: usize,
    /// Originals of which nothing is known.
    pub unknown: usize,
    /// Items that were deleted.
    pub deleted: usize,
    /// Items whose original has gone or changed.
    pub changed: usize,
    /// Items that have been reprocessed too often.
    pub no_room: usize,
}

/// Tells the workers to make items again, or counts them.
///
/// # Errors
/// If a bucket, the table or a queue fails. To order the same again does no harm.
pub async fn reprocess(session: &Session, order: &Order) -> Result<Reprocessed> {
    let mut reprocessed = Reprocessed { applied: order.apply, ..Reprocessed::default() };
    let media = Media {
        session,
        table: MediaTable::new(session.dynamodb.clone(), session.output("MediaTableName")?.to_owned()),
        bucket: session.output("OriginalsBucketName")?,
    };
    if let Some(prefix) = &order.prefix {
        ensure!(!prefix.is_empty(), "a prefix is expected, such as photo/");
        let pages = session.s3.list_objects_v2().bucket(media.bucket).prefix(prefix);
        let mut pages = pages.into_paginator().send();
        while let Some(page) = pages.next().await {
            let objects = page.context("the bucket of originals")?.contents.unwrap_or_default();
            let originals: Vec<_> = objects.iter().filter_map(listed).collect();
            for some in originals.chunks(MAX_BATCH) {
                media.work(order, some, &mut reprocessed).await?;
            }
        }
    }
    for ids in order.id.chunks(MAX_BATCH) {
        let mut found = Vec::with_capacity(ids.len());
        for item in media.items(ids).await? {
            found.push((item.id, media.look(&item.key).await?));
        }
        let known = |id: &MediaId| found.iter().any(|(found, _)| found == id);
        reprocessed.unknown += ids.iter().filter(|id| !known(id)).count();
        media.work(order, &found, &mut reprocessed).await?;
    }
    Ok(reprocessed)
}

struct Media<'a> {
    session: &'a Session,
    table: MediaTable,
    bucket: &'a str,
}

impl Media<'_> {
    /// Decides about each of these, and sends what is to be sent.
    async fn work(
        &self,
        order: &Order,
        originals: &[(MediaId, Option<Original>)],
        reprocessed: &mut Reprocessed,
    ) -> Result<()> {
        let ids: Vec<_> = originals.iter().map(|(id, _)| *id).collect();
        let items: HashMap<_, _> = self.items(&ids).await?.into_iter().map(|item| (item.id, item)).collect();
        let (mut pictures, mut recordings) = (Vec::new(), Vec::new());
        for (id, original) in originals {
            match decide(items.get(id), original.as_ref(), order.new_revision) {
                Decision::Send(Worker::Thumbnailer, event) => pictures.push(event.to_notification()),
                Decision::Send(Worker::AudioWorker, event) => recordings.push(event.to_notification()),
                Decision::Leave(Why::Unknown) => reprocessed.unknown += 1,
                Decision::Leave(Why::Deleted) => reprocessed.deleted += 1,
                Decision::Leave(Why::Changed) => reprocessed.changed += 1,
                Decision::Leave(Why::NoRoom) => reprocessed.no_room += 1,
            }
        }
        if order.apply {
            self.send("ThumbnailQueueUrl", &pictures).await?;
            self.send("AudioQueueUrl", &recordings).await?;
        }
        reprocessed.pictures += pictures.len();
        reprocessed.recordings += recordings.len();
        Ok(())
    }

    async fn items(&self, ids: &[MediaId]) -> Result<Vec<MediaItem>> {
        Ok(self.table.get_many(ids, Projection::Brief).await?)
    }

    /// The original at `key`, if there is one.
    async fn look(&self, key: &str) -> Result<Option<Original>> {
        let answer = self.session.s3.head_object().bucket(self.bucket).key(key).send().await;
        match answer {
            Ok(object) => Ok(original(object.content_length, object.e_tag.as_deref())),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(anyhow!(error).context("an original")),
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
            let answer = request.send().await?;
            ensure!(answer.failed.is_empty(), "{queue} does not take {} messages: try again", answer.failed.len());
        }
        Ok(())
    }
}

fn listed(object: &aws_sdk_s3::types::Object) -> Option<(MediaId, Option<Original>)> {
    let key = object.key()?;
    // What consoles make of "folders".
    (!key.ends_with('/')).then(|| (MediaId::of_key(key), original(object.size, object.e_tag.as_deref())))
}

fn original(size: Option<i64>, etag: Option<&str>) -> Option<Original> {
    let etag = etag?.trim_matches('"').to_owned();
    Some(Original { size: u64::try_from(size?).ok()?, etag })
}

impl fmt::Display for Reprocessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, pictures, recordings, unknown, deleted, changed, no_room } = self;
        if *applied {
            write!(f, "Ordered: {pictures} pictures, {recordings} recordings.")?;
        } else {
            write!(f, "Would be made again: {pictures} pictures, {recordings} recordings. To do it: --apply")?;
        }
        for (number, why) in [
            (unknown, "are not known to the table of media: copy such an original onto itself"),
            (deleted, "were deleted"),
            (changed, "have gone or changed, of which S3's own event is on its way"),
            (no_room, "have been reprocessed too often: copy such an original onto itself"),
        ] {
            if *number > 0 {
                write!(f, "\n{number} {why}")?;
            }
        }
        Ok(())
    }
}
