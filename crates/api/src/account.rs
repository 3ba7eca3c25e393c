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
