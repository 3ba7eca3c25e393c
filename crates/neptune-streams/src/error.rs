use std::fmt;

use aws_sdk_neptunedata::{
    error::{ProvideErrorMetadata, SdkError},
    operation::get_propertygraph_stream::GetPropertygraphStreamError,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use domain::graph::Position;
use serde::Deserialize;
use thiserror::Error;

use crate::page::InvalidPage;

/// A failed read of the stream.
///
/// A stream without new records is not an error but [`Read::Idle`](crate::Read::Idle). The SDK has
/// already done its retries.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Too many requests, or too little memory at Neptune. Retry after a delay.
    #[error("throttled: {0}")]
    Throttled(ErrorResponse),
    /// Neptune (`Some`) or a timeout of the client (`None`) aborted the request. Retry with a smaller
    /// limit. The SDK does not retry it, because the same request would take as long again.
    #[error("the page took too long")]
    TimedOut(Option<ErrorResponse>),
    /// All requested records have expired. They are lost to this reader.
    #[error("expired: {0}")]
    Expired(ErrorResponse),
    /// The cluster parameter `neptune_streams` is 0.
    #[error("streams are disabled on the cluster: {0}")]
    StreamsOff(ErrorResponse),
    /// The request is wrong, or the server is not a Streams endpoint. A retry does not help.
    #[error("invalid request: {0}")]
    InvalidRequest(ErrorResponse),
    /// The signature or the permission (`neptune-db:GetStreamRecords`) is missing. A policy change takes
    /// up to ten minutes to take effect.
    #[error("access denied: {0}")]
    AccessDenied(ErrorResponse),
    /// Any other failure of Neptune. Retry.
    #[error("the endpoint failed: {0}")]
    Failed(ErrorResponse),
    /// Commits are missing. Keep the position and retry; see
    /// [`Continuity::Gap`](crate::continuity::Continuity::Gap).
    #[error("commits are missing: expected {expected}, got {got}")]
    Gap {
        /// The first operation of the missing commit.
        expected: Position,
        /// The first position after the gap.
        got: Position,
    },
    /// The stream ends before the position consumed. Keep the position and retry; see
    /// [`Continuity::Reset`](crate::continuity::Continuity::Reset).
    #[error("the stream ends at {head}, before the position consumed: a fast reset or a lagging replica")]
    Reset {
        /// The stream's last position now.
        head: Position,
    },
    /// The response is not a page.
    #[error(transparent)]
    InvalidPage(#[from] InvalidPage),
    /// No complete response: no connection, no credentials, or an interrupted response.
    #[error("no response")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the same call may succeed later without a change of configuration.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled(_)
            | Self::TimedOut(_)
            | Self::Failed(_)
            | Self::Gap { .. }
            | Self::Reset { .. }
            | Self::Transport(_) => true,
            Self::Expired(_)
            | Self::StreamsOff(_)
            | Self::InvalidRequest(_)
            | Self::AccessDenied(_)
            | Self::InvalidPage(_) => false,
        }
    }
}

/// Neptune's error response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorResponse {
    /// The HTTP status. Throttling has 500.
    pub status: u16,
    /// The error code, such as `ThrottlingException`. Absent if another server responded.
    pub code: Option<String>,
    /// A text for people. Its wording is not documented.
    pub message: Option<String>,
    /// The id of the request, for AWS support.
    pub request_id: Option<String>,
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {})", self.code.as_deref().unwrap_or("no error code"), self.status)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

/// The error of a single request.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// No record at the start position yet.
    NotFound(ErrorResponse),
    Failed(Error),
}

impl From<SdkError<GetPropertygraphStreamError, HttpResponse>> for RequestError {
    fn from(error: SdkError<GetPropertygraphStreamError, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(service) => classify(error_response(service.raw(), error.code())),
            SdkError::TimeoutError(_) => Self::Failed(Error::TimedOut(None)),
            _ => Self::Failed(Error::Transport(error.into())),
        }
    }
}

/// The body of Neptune's error responses. The SDK parses the code but not the message.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireError {
    request_id: Option<String>,
    code: Option<String>,
    detailed_message: Option<String>,
    message: Option<String>,
}

fn error_response(raw: &HttpResponse, code: Option<&str>) -> ErrorResponse {
    let wire = raw.body().bytes().and_then(|body| serde_json::from_slice(body).ok());
    let WireError { request_id, code: body_code, detailed_message, message } = wire.unwrap_or_default();
    ErrorResponse {
        status: raw.status().as_u16(),
        code: code.map(str::to_owned).or(body_code),
        message: detailed_message.or(message),
        request_id,
    }
}

fn classify(response: ErrorResponse) -> RequestError {
    let error = match response.code.as_deref().unwrap_or_default() {
        "StreamRecordsNotFoundException" => return RequestError::NotFound(response),
        "ThrottlingException" | "TooManyRequestsException" | "MemoryLimitExceededException" => {
            Error::Throttled(response)
        }
        "ClientTimeoutException" => Error::TimedOut(Some(response)),
        "ExpiredStreamException" => Error::Expired(response),
        "UnsupportedOperationException" => Error::StreamsOff(response),
        "ConstraintViolationException" => Error::Failed(response),
        "AccessDeniedException" | "AccessDenied" => Error::AccessDenied(response),
        // For other codes, and for responses without one, the status decides.
        _ => match response.status {
            401 | 403 => Error::AccessDenied(response),
            408 => Error::TimedOut(Some(response)),
            429 | 503 => Error::Throttled(response),
            400..500 => Error::InvalidRequest(response),
            _ => Error::Failed(response),
        },
    };
    RequestError::Failed(error)
}
