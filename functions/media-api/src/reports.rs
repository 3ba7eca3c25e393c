//! Stores people's reports of items.

use api::{ProblemType, UserReport};
use domain::{
    media::MediaItem,
    upload::seconds_to_next_day,
    user_report::{ReportId, ReportReason, ReportText},
};
use function_kit::metrics::Metrics;
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::{
    quotas::QuotasTable,
    reports::{Report, ReportTable},
};
use tracing::info;

/// The tables of reports.
pub struct Reports {
    /// The table of reports.
    pub table: ReportTable,
    /// Counts the reports of a day.
    pub quotas: QuotasTable,
    /// Reports that one person may send a day.
    pub per_day: u64,
    /// Counts `ReportsMade`, which an alarm watches.
    pub metrics: Metrics,
}

impl Reports {
    /// Stores the report of `item`, which `reporter` must be allowed to see. It replaces an earlier one, so that a repeated
    /// request stores the same; it counts to the day.
    ///
    /// # Errors
    /// 429 with the time until the next day, if the person has sent too many.
    pub async fn take(
        &self,
        reporter: &str,
        item: MediaItem,
        reason: ReportReason,
        text: Option<ReportText>,
        now: Timestamp,
    ) -> Result<UserReport, HandlerError> {
        if !self.quotas.count_report(reporter, self.per_day, now).await? {
            let problem = ProblemType::TooManyRequests.with_detail("no more reports are accepted today");
            return Err(HandlerError::Later(problem, seconds_to_next_day(now)));
        }
        let MediaItem { id: media_id, owner, .. } = item;
        let report = Report { reporter: reporter.to_owned(), media_id, owner, reason, text, reported_at: now };
        self.table.put(&report).await?;
        self.metrics.count("ReportsMade", 1);
        let id = ReportId::of(reporter, media_id);
        info!(%media_id, report = %id, reason = reason.as_ref(), "a person reported an item");
        Ok(UserReport { id, media_id, reason, reported_at: format!("{now:.3}") })
    }
}
