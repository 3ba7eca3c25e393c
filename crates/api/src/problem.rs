use serde::Serialize;

/// Why a request has no other answer: problem details by RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Problem {
    /// What kind of problem it is, for programs.
    #[serde(rename = "type")]
    pub kind: ProblemType,
    /// What is wrong, for people: the same for every problem of its type.
    #[cfg_attr(feature = "document", schema(value_type = String))]
    pub title: &'static str,
    /// The HTTP status of the answer.
    #[cfg_attr(feature = "document", schema(minimum = 400, maximum = 599))]
    pub status: u16,
    /// What is wrong with this request, for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub detail: Option<String>,
}

/// What kind of problem it is, for programs. Types never change their meaning; new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum ProblemType {
    /// The request breaks a rule of this document.
    #[serde(rename = "urn:iyagi:problem:invalid-request")]
    InvalidRequest,
    /// The cursor is not one that this caller got for this list.
    #[serde(rename = "urn:iyagi:problem:invalid-cursor")]
    InvalidCursor,
    /// Nobody has shown who asks.
    #[serde(rename = "urn:iyagi:problem:unauthorized")]
    Unauthorized,
    /// There is no such thing, or it is not to be known that there is.
    #[serde(rename = "urn:iyagi:problem:not-found")]
    NotFound,
    /// Not all parts of the upload have been sent.
    #[serde(rename = "urn:iyagi:problem:upload-incomplete")]
    UploadIncomplete,
    /// The upload has been given up, or what came of it has been deleted.
    #[serde(rename = "urn:iyagi:problem:upload-expired")]
    UploadExpired,
    /// The body is too long.
    #[serde(rename = "urn:iyagi:problem:too-large")]
    TooLarge,
    /// The same idempotency key came with another request before.
    #[serde(rename = "urn:iyagi:problem:idempotency-key-reused")]
    IdempotencyKeyReused,
    /// The caller has asked too much for now.
    #[serde(rename = "urn:iyagi:problem:too-many-requests")]
    TooManyRequests,
    /// The service has a fault.
    #[serde(rename = "urn:iyagi:problem:internal")]
    Internal,
    /// The service is busy.
    #[serde(rename = "urn:iyagi:problem:unavailable")]
    Unavailable,
}

impl ProblemType {
    /// All of them, by status.
    pub const ALL: [Self; 11] = [
        Self::InvalidRequest,
        Self::InvalidCursor,
        Self::Unauthorized,
        Self::NotFound,
        Self::UploadIncomplete,
        Self::UploadExpired,
        Self::TooLarge,
        Self::IdempotencyKeyReused,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The HTTP status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::InvalidCursor => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::UploadIncomplete => 409,
            Self::UploadExpired => 410,
            Self::TooLarge => 413,
            Self::IdempotencyKeyReused => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// What is wrong, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is invalid",
            Self::InvalidCursor => "The cursor does not belong to this list",
            Self::Unauthorized => "Sign in first",
            Self::NotFound => "There is no such thing",
            Self::UploadIncomplete => "Parts of the upload are missing",
            Self::UploadExpired => "The upload has been given up: start again",
            Self::TooLarge => "The request is too large",
            Self::IdempotencyKeyReused => "The idempotency key belongs to another upload",
            Self::TooManyRequests => "Too many requests: wait a moment",
            Self::Internal => "The service has a fault",
            Self::Unavailable => "The service is busy: try again",
        }
    }
}

impl From<ProblemType> for Problem {
    /// Without detail.
    fn from(kind: ProblemType) -> Self {
        Self { kind, title: kind.title(), status: kind.status(), detail: None }
    }
}

impl ProblemType {
    /// A problem of this type, with what is wrong with the request at hand.
    pub fn with_detail(self, detail: impl Into<String>) -> Problem {
        Problem { detail: Some(detail.into()), ..self.into() }
    }
}

impl Problem {
    /// 400: the request breaks the API's rules; `detail` says which.
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        ProblemType::InvalidRequest.with_detail(detail)
    }

    /// 401: nobody has shown who asks.
    pub fn unauthorized() -> Self {
        ProblemType::Unauthorized.into()
    }

    /// 404: there is no such thing, or it is not to be known that there is.
    pub fn not_found() -> Self {
        ProblemType::NotFound.into()
    }

    /// 413: the body has more than `max_bytes`.
    pub fn too_large(max_bytes: usize) -> Self {
        ProblemType::TooLarge.with_detail(format!("the body may have at most {max_bytes} bytes"))
    }
}
