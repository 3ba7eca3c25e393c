use domain::{
    media::MediaId,
    user_report::{ReportId, ReportReason, ReportText},
};
use serde::{Deserialize, Serialize};

/// A report of an item that operators should look at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct ReportRequest {
    /// Id of the item.
    pub media_id: MediaId,
    /// Why the caller reports the item.
    pub reason: ReportReason,
    /// What operators should know. Only they read it.
    #[serde(default)]
    pub text: Option<ReportText>,
}

/// A stored report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct UserReport {
    /// Id of the report. It is the same if the caller reports the item again.
    pub id: ReportId,
    /// Id of the item.
    pub media_id: MediaId,
    /// Why the caller reports the item.
    pub reason: ReportReason,
    /// Time of the report: RFC 3339 in UTC, with milliseconds.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub reported_at: String,
}
