use serde::Serialize;

/// Error response: problem details by RFC 9457, with `type`, `title` and `status`; or the gateway's own error, with
/// `message` only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Type of the problem, for programs.
    #[serde(rename = "type")]
    pub kind: ProblemType,
    /// Title of the problem type, for people.
    #[cfg_attr(feature = "document", schema(value_type = String))]
    pub title: &'static str,
    /// HTTP status of the response.
    #[cfg_attr(feature = "document", schema(minimum = 400, maximum = 599))]
    pub status: u16,
    /// Details of this request's problem, for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Type of a problem, for programs. Types never change their meaning; new types may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, serde_with::SerializeDisplay)]
#[strum(prefix = "urn:iyagi:problem:", serialize_all = "kebab-case")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum ProblemType {
    /// The request breaks a rule of this document.
    InvalidRequest,
    /// The cursor was not issued to this caller for this list.
    InvalidCursor,
    /// The request has no valid access token.
    Unauthorized,
    /// The caller signed in too long ago for this request.
    RecentSignInRequired,
    /// The item does not exist, or the caller may not see it.
    NotFound,
    /// Parts of the upload are missing.
    UploadIncomplete,
    /// The item changes at the same time; the request may be repeated.
    Conflict,
    /// The upload has expired, or its item was deleted.
    UploadExpired,
    /// The body is too large.
    TooLarge,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The caller has exceeded the rate limit.
    TooManyRequests,
    /// The caller has too many unfinished uploads, or has used up the uploads or bytes of the day (in UTC).
    UploadBudgetExceeded,
    /// The service has failed.
    Internal,
    /// The service is temporarily overloaded.
    Unavailable,
}

impl ProblemType {
    /// All types, by status.
    pub const ALL: [Self; 14] = [
        Self::InvalidRequest,
        Self::InvalidCursor,
        Self::Unauthorized,
        Self::RecentSignInRequired,
        Self::NotFound,
        Self::UploadIncomplete,
        Self::Conflict,
        Self::UploadExpired,
        Self::TooLarge,
        Self::IdempotencyKeyReused,
        Self::TooManyRequests,
        Self::UploadBudgetExceeded,
        Self::Internal,
        Self::Unavailable,
    ];

    /// HTTP status of the response.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::InvalidCursor => 400,
            Self::Unauthorized => 401,
            Self::RecentSignInRequired => 403,
            Self::NotFound => 404,
            Self::UploadIncomplete | Self::Conflict => 409,
            Self::UploadExpired => 410,
            Self::TooLarge => 413,
            Self::IdempotencyKeyReused => 422,
            Self::TooManyRequests | Self::UploadBudgetExceeded => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// Title for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "Invalid request",
            Self::InvalidCursor => "Invalid cursor",
            Self::Unauthorized => "Unauthorized",
            Self::RecentSignInRequired => "Recent sign-in required",
            Self::NotFound => "Not found",
            Self::UploadIncomplete => "Upload incomplete",
            Self::Conflict => "Conflict",
            Self::UploadExpired => "Upload expired",
            Self::TooLarge => "Request too large",
            Self::IdempotencyKeyReused => "Idempotency key reused",
            Self::TooManyRequests => "Too many requests",
            Self::UploadBudgetExceeded => "Upload budget exceeded",
            Self::Internal => "Internal error",
            Self::Unavailable => "Service unavailable",
        }
    }

    /// A problem of this type with details of the request.
    pub fn with_detail(self, detail: impl Into<String>) -> Problem {
        Problem { detail: Some(detail.into()), ..self.into() }
    }
}

impl From<ProblemType> for Problem {
    /// A problem without details.
    fn from(kind: ProblemType) -> Self {
        Self { kind, title: kind.title(), status: kind.status(), detail: None }
    }
}

impl Problem {
    /// 400: the request is invalid for the reason in `detail`.
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        ProblemType::InvalidRequest.with_detail(detail)
    }

    /// 401: the request has no valid access token.
    pub fn unauthorized() -> Self {
        ProblemType::Unauthorized.into()
    }

    /// 404: the item does not exist, or the caller may not see it.
    pub fn not_found() -> Self {
        ProblemType::NotFound.into()
    }

    /// 413: the body has more than `max_bytes` bytes.
    pub fn too_large(max_bytes: usize) -> Self {
        ProblemType::TooLarge.with_detail(format!("the body must have at most {max_bytes} bytes"))
    }
}
