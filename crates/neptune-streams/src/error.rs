use std::fmt;

use aws_sdk_neptunedata::{
    error::{ProvideErrorMetadata, SdkError},
    operation::get_propertygraph_stream::GetPropertygraphStreamError,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde::Deserialize;
use thiserror::Error;

use crate::{page::InvalidPage, position::Position};

/// Why there is no page.
///
/// That the stream holds nothing new is none of these, but
/// [`Read::Idle`](crate::Read::Idle). What the SDK retries, it has retried by now.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Too many requests, or too little memory at Neptune: try again, after a while.
    #[error("throttled: {0}")]
    Throttled(ErrorResponse),
    /// The page took too long, by Neptune's clock (`Some`) or by the time-outs that the client was
    /// configured with (`None`): try again, with a smaller limit. Not retried by the SDK, since the
    /// same request would take as long again.
    #[error("the page took too long")]
    TimedOut(Option<ErrorResponse>),
    /// All the records asked for have expired: what they said is lost to this reader.
    #[error("expired: {0}")]
    Expired(ErrorResponse),
    /// The cluster parameter `neptune_streams` is 0.
    #[error("the cluster keeps no stream: {0}")]
    StreamsOff(ErrorResponse),
    /// The request is wrong, or what answered is no Streams endpoint. Trying again does not help.
    #[error("invalid request: {0}")]
    InvalidRequest(ErrorResponse),
    /// The signature or the permission (`neptune-db:GetStreamRecords`) is missing. A change of
    /// policy takes up to ten minutes to arrive.
    #[error("access denied: {0}")]
    AccessDenied(ErrorResponse),
    /// Any other failure of Neptune's: try again.
    #[error("the endpoint failed: {0}")]
    Failed(ErrorResponse),
    /// Commits are missing. See [`Continuity::Gap`](crate::continuity::Continuity::Gap): hold, and
    /// try again.
    #[error("commits are missing: expected {expected}, got {got}")]
    Gap {
        /// Where the stream should have gone on.
        expected: Position,
        /// Where it did.
        got: Position,
    },
    /// The stream ends before what was read. See
    /// [`Continuity::Reset`](crate::continuity::Continuity::Reset): hold, and try again.
    #[error("the stream ends at {head}, before what was read: a fast reset, or a replica that lags")]
    Reset {
        /// Where the stream ends now.
        head: Position,
    },
    /// The answer is no page.
    #[error(transparent)]
    InvalidPage(#[from] InvalidPage),
    /// No answer: no connection, no credentials, or an answer that broke off.
    #[error("no answer")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the same call may succeed later with nothing changed by anybody here.
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

/// What Neptune says with an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorResponse {
    /// The HTTP status. Throttling is a 500.
    pub status: u16,
    /// What to decide by, where the status does not suffice; absent if something else than
    /// Neptune answered.
    pub code: Option<String>,
    /// For people. Its wording is not documented.
    pub message: Option<String>,
    /// For AWS's support.
    pub request_id: Option<String>,
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {})", self.code.as_deref().unwrap_or("an error without a code"), self.status)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

/// What became of a request that gave no page.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing there yet, and what Neptune said with it.
    NotFound(ErrorResponse),
    Failed(Error),
}

impl From<SdkError<GetPropertygraphStreamError, HttpResponse>> for Outcome {
    fn from(error: SdkError<GetPropertygraphStreamError, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(answer) => by_code(response(answer.raw(), error.code())),
            SdkError::TimeoutError(_) => Self::Failed(Error::TimedOut(None)),
            _ => Self::Failed(Error::Transport(error.into())),
        }
    }
}

/// Neptune's body of an error. The SDK reads the code as well, but not the message.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireError {
    request_id: Option<String>,
    code: Option<String>,
    detailed_message: Option<String>,
    message: Option<String>,
}

fn response(raw: &HttpResponse, code: Option<&str>) -> ErrorResponse {
    let wire = raw.body().bytes().and_then(|body| serde_json::from_slice(body).ok());
    let WireError { request_id, code: own_code, detailed_message, message } = wire.unwrap_or_default();
    ErrorResponse {
        status: raw.status().as_u16(),
        code: code.map(str::to_owned).or(own_code),
        message: detailed_message.or(message),
        request_id,
    }
}

fn by_code(response: ErrorResponse) -> Outcome {
    let error = match response.code.as_deref().unwrap_or_default() {
        "StreamRecordsNotFoundException" => return Outcome::NotFound(response),
        "ThrottlingException" | "TooManyRequestsException" | "MemoryLimitExceededException" => {
            Error::Throttled(response)
        }
        "ClientTimeoutException" => Error::TimedOut(Some(response)),
        "ExpiredStreamException" => Error::Expired(response),
        "UnsupportedOperationException" => Error::StreamsOff(response),
        "ConstraintViolationException" => Error::Failed(response),
        "AccessDeniedException" | "AccessDenied" => Error::AccessDenied(response),
        // All others are told apart well enough by their status, also where there is no code.
        _ => match response.status {
            401 | 403 => Error::AccessDenied(response),
            408 => Error::TimedOut(Some(response)),
            429 | 503 => Error::Throttled(response),
            400..500 => Error::InvalidRequest(response),
            _ => Error::Failed(response),
        },
    };
    Outcome::Failed(error)
}
