use serde::Serialize;

/// Progress of the erasure of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct AccountErasure {
    /// State of the erasure.
    pub state: ErasureState,
    /// Number of steps that are done.
    pub steps_done: usize,
    /// Number of all steps.
    pub steps: usize,
    /// Time of the request: RFC 3339 in UTC, with milliseconds.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub started_at: String,
    /// Time of the last step. Absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub finished_at: Option<String>,
}

/// State of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum ErasureState {
    /// Steps are left.
    Running,
    /// All is erased.
    Finished,
}

/// A copy of everything that is stored about the caller.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct AccountExport {
    /// Id of the export.
    pub id: String,
    /// State of the export.
    pub state: AccountExportState,
    /// Time of the request: RFC 3339 in UTC, with milliseconds.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub created_at: String,
    /// Time when it was ready. Absent before.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub ready_at: Option<String>,
    /// Size of the file in bytes, once it is ready.
    #[cfg_attr(feature = "document", schema(minimum = 0))]
    pub bytes: Option<u64>,
    /// Number of originals in the file, once it is ready.
    #[cfg_attr(feature = "document", schema(minimum = 0))]
    pub files: Option<u64>,
    /// Link to the zip file, while it is ready. It needs no token: everybody who has it can download the file.
    pub url: Option<String>,
    /// When the link expires. Get the export again for a new one.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub url_expires_at: Option<String>,
}

/// State of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum AccountExportState {
    /// It is being made.
    Pending,
    /// It can be downloaded.
    Ready,
    /// It could not be made.
    Failed,
    /// It can no longer be downloaded.
    Expired,
}
