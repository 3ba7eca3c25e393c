//! Each person's share of storage and processing.

use std::{
    collections::HashMap,
    num::{NonZeroU32, NonZeroU64},
};

use api::{Problem, ProblemType};
use domain::{
    media::{Kind, MediaId, State},
    upload::{Budget, Lane, PendingUpload, seconds_to_next_day},
};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_with::{As, DisplayFromStr};
use store::{
    media::{MediaTable, Projection},
    quotas::QuotasTable,
};
use tracing::info;

/// How long an upload can be sent: parts for three days, and some time until it has an item.
const SENDING: SignedDuration = SignedDuration::from_hours(73);
/// When a client with too many unfinished uploads should ask again, in seconds.
const RETRY_SECONDS: i64 = 60;

/// The limits, from the environment.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Limits {
    #[serde(with = "As::<DisplayFromStr>")]
    uploads_per_day: NonZeroU64,
    #[serde(with = "As::<DisplayFromStr>")]
    upload_megabytes_per_day: NonZeroU64,
    #[serde(with = "As::<DisplayFromStr>")]
    pending_uploads: NonZeroU32,
    #[serde(with = "As::<DisplayFromStr>")]
    fast_recordings: NonZeroU32,
}

impl From<Limits> for Budget {
    fn from(limits: Limits) -> Self {
        Self {
            uploads_per_day: limits.uploads_per_day.get(),
            bytes_per_day: limits.upload_megabytes_per_day.get().saturating_mul(1024 * 1024),
            pending: limits.pending_uploads.get() as usize,
            fast_recordings: limits.fast_recordings.get() as usize,
        }
    }
}

/// The budgets of all people.
pub struct Budgets {
    pub quotas: QuotasTable,
    /// Only read: which uploads are finished.
    pub media: MediaTable,
    pub budget: Budget,
}

/// Why an upload is refused for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    detail: &'static str,
    /// Seconds until it may succeed.
    pub retry_after: i64,
}

impl Exceeded {
    pub fn problem(self) -> Problem {
        ProblemType::UploadBudgetExceeded.with_detail(self.detail)
    }
}

impl Budgets {
    /// Counts an upload of `uploader`, and returns where it is to be processed. An upload that is counted already is not
    /// counted again: a retry with the same idempotency key.
    pub async fn take(
        &self,
        uploader: &str,
        (kind, media_id): (Kind, MediaId),
        bytes: u64,
        now: Timestamp,
    ) -> Result<Result<Lane, Exceeded>, Failure> {
        let mut pending = self.quotas.pending(uploader, now).await?;
        if let Some(counted) = pending.iter().find(|upload| upload.media_id == media_id) {
            return Ok(Ok(counted.lane));
        }
        if !self.budget.is_ample(&pending) {
            pending = self.without_finished(uploader, pending, now).await?;
        }
        let Some(lane) = self.budget.lane(kind, &pending) else {
            info!(user = uploader, "too many unfinished uploads");
            let detail = "too many uploads are unfinished; wait until some are processed";
            return Ok(Err(Exceeded { detail, retry_after: RETRY_SECONDS }));
        };
        if !self.quotas.count(uploader, bytes, &self.budget, now).await? {
            info!(user = uploader, "today's uploads are used up");
            let detail = "the uploads or bytes of today are used up";
            return Ok(Err(Exceeded { detail, retry_after: seconds_to_next_day(now) }));
        }
        let signed_until = now.checked_add(SENDING).unwrap_or(Timestamp::MAX);
        self.quotas.note(uploader, &PendingUpload { media_id, kind, lane, signed_until }, now).await?;
        Ok(Ok(lane))
    }

    /// Leaves out uploads that were processed, deleted or given up, and forgets them.
    async fn without_finished(
        &self,
        uploader: &str,
        pending: Vec<PendingUpload>,
        now: Timestamp,
    ) -> Result<Vec<PendingUpload>, Failure> {
        let ids: Vec<_> = pending.iter().map(|upload| upload.media_id).collect();
        let items = self.media.get_many(&ids, Projection::Brief).await?;
        let states: HashMap<_, _> = items.into_iter().map(|item| (item.id, item.state)).collect();
        let is_pending = |upload: &PendingUpload| match states.get(&upload.media_id) {
            Some(state) => matches!(state, State::Processing(_)),
            None => now < upload.signed_until,
        };
        let (pending, finished): (Vec<_>, Vec<_>) = pending.into_iter().partition(is_pending);
        for upload in finished {
            self.quotas.forget(uploader, upload.media_id).await?;
        }
        Ok(pending)
    }
}

#[cfg(test)]
pub mod tests;
