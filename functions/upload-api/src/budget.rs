//! Each person's share of storage and processing.

use std::num::{NonZeroU32, NonZeroU64};

use api::{Problem, ProblemType};
use domain::{
    media::{Kind, MediaId},
    upload::{Budget, Lane, PendingUpload, seconds_to_next_day},
};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_with::{As, DisplayFromStr};
use store::quotas::NotedUpload;
use tracing::info;

use crate::ledger::{Ledger, Tables};

/// How long an upload can be sent: parts for three days, and some time until it has an item.
const SENDING: SignedDuration = SignedDuration::from_hours(73);
/// Refuses a person with too many unfinished uploads.
const TOO_MANY: Exceeded =
    Exceeded { detail: "too many uploads are unfinished; wait until some are processed", retry_after: 60 };
/// Attempts to note an upload while others of the person are started. One of them succeeds at each attempt.
const MAX_ATTEMPTS: usize = 32;
/// Noted uploads from which on finished ones are looked for, so that the row stays small.
const MAX_UNCHECKED: usize = 50;

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
pub struct Budgets<L = Tables> {
    pub ledger: L,
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

impl<L: Ledger> Budgets<L> {
    /// Counts an upload of `uploader`, and returns where it is to be processed. An upload that is counted already is not
    /// counted again: a retry with the same idempotency key.
    ///
    /// Parallel starts decide one after the other: each note is written over the revision on which it was decided.
    pub async fn take(
        &self,
        uploader: &str,
        (kind, media_id): (Kind, MediaId),
        bytes: u64,
        now: Timestamp,
    ) -> Result<Result<Lane, Exceeded>, Failure> {
        let mut is_counted = false;
        let taken = self.note(uploader, (kind, media_id), bytes, now, &mut is_counted).await?;
        if is_counted && !matches!(taken, Taken::Noted(_)) {
            self.ledger.uncount(uploader, bytes, now).await?;
        }
        match taken {
            Taken::Noted(lane) | Taken::Before(lane) => Ok(Ok(lane)),
            Taken::Exceeded(exceeded) => Ok(Err(exceeded)),
            Taken::Conflict => Err(Failure::transient("note an upload", "others are started at the same time")),
        }
    }

    async fn note(
        &self,
        uploader: &str,
        (kind, media_id): (Kind, MediaId),
        bytes: u64,
        now: Timestamp,
        is_counted: &mut bool,
    ) -> Result<Taken, Failure> {
        let signed_until = now.checked_add(SENDING).unwrap_or(Timestamp::MAX);
        for _ in 0..MAX_ATTEMPTS {
            let read = self.ledger.pending(uploader, now).await?;
            if let Some(noted) = read.uploads.iter().find(|noted| noted.upload.media_id == media_id) {
                return Ok(Taken::Before(noted.upload.lane));
            }
            let mut noted = read.uploads.clone();
            if !self.budget.is_ample(&uploads(&noted)) || noted.len() >= MAX_UNCHECKED {
                noted = self.without_finished(noted, now).await?;
            }
            let Some(lane) = self.budget.lane(kind, &uploads(&noted)) else {
                info!(user = uploader, "too many unfinished uploads");
                return Ok(Taken::Exceeded(TOO_MANY));
            };
            if !*is_counted {
                if !self.ledger.count(uploader, bytes, &self.budget, now).await? {
                    info!(user = uploader, "today's uploads are used up");
                    let detail = "the uploads or bytes of today are used up";
                    return Ok(Taken::Exceeded(Exceeded { detail, retry_after: seconds_to_next_day(now) }));
                }
                *is_counted = true;
            }
            noted.push(NotedUpload::new(PendingUpload { media_id, kind, lane, signed_until }, now));
            if self.ledger.note(uploader, &read, &noted, now).await? {
                return Ok(Taken::Noted(lane));
            }
        }
        Ok(Taken::Conflict)
    }

    /// Leaves out uploads that were processed, deleted or given up.
    async fn without_finished(&self, noted: Vec<NotedUpload>, now: Timestamp) -> Result<Vec<NotedUpload>, Failure> {
        let ids: Vec<_> = noted.iter().map(|noted| noted.upload.media_id).collect();
        let are_processed = self.ledger.are_processed(&ids).await?;
        let is_pending = |NotedUpload { upload, .. }: &NotedUpload| match are_processed.get(&upload.media_id) {
            Some(is_processed) => !is_processed,
            None => now < upload.signed_until,
        };
        Ok(noted.into_iter().filter(is_pending).collect())
    }
}

/// The result of an attempt to note an upload.
enum Taken {
    /// By this call.
    Noted(Lane),
    /// By an earlier or parallel call.
    Before(Lane),
    Exceeded(Exceeded),
    Conflict,
}

fn uploads(noted: &[NotedUpload]) -> Vec<PendingUpload> {
    noted.iter().map(|noted| noted.upload.clone()).collect()
}

#[cfg(test)]
mod interleavings;
#[cfg(test)]
pub mod tests;
