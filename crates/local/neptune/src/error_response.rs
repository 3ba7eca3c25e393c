use axum::{http::StatusCode, response::Response};
use http_server::json_response;
use serde::Serialize;

use super::{database::ReadError, faults::Failure};

/// An error response with Neptune's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// HTTP status.
    pub status: StatusCode,
    /// Neptune's error code.
    pub code: &'static str,
    /// `detailedMessage`.
    pub message: String,
}

impl ErrorResponse {
    /// 400 `InvalidParameterException`.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterException", message)
    }

    /// An error response with this status, code and message.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The HTTP response.
    pub fn into_response(self, request_id: String) -> Response {
        json_response(self.status, &ErrorJson { request_id, code: self.code, detailed_message: &self.message })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorJson<'a> {
    request_id: String,
    code: &'a str,
    detailed_message: &'a str,
}

impl From<ReadError> for ErrorResponse {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Idle(head) => {
                let message = format!(
                    "Requested startEventId is from the future. Last valid eventId is [commitNum = {}, opNum = {}]",
                    head.commit_num, head.op_num
                );
                Self::new(StatusCode::NOT_FOUND, "StreamRecordsNotFoundException", message)
            }
            ReadError::NotFound => {
                Self::new(StatusCode::NOT_FOUND, "StreamRecordsNotFoundException", "No records were found")
            }
            ReadError::Expired => {
                let message = "All records requested exceed the maximum age allowed and have expired";
                Self::new(StatusCode::BAD_REQUEST, "ExpiredStreamException", message)
            }
            ReadError::Injected(failure) => failure.into(),
            ReadError::Internal(error) => error.into(),
        }
    }
}

impl From<Failure> for ErrorResponse {
    fn from(failure: Failure) -> Self {
        let internal = StatusCode::INTERNAL_SERVER_ERROR;
        let bad = StatusCode::BAD_REQUEST;
        let (status, code, message) = match failure {
            Failure::Throttling => (internal, "ThrottlingException", "Rate of requests exceeded"),
            Failure::MemoryLimitExceeded => (internal, "MemoryLimitExceededException", "Request ran out of memory"),
            Failure::ClientTimeout => (StatusCode::REQUEST_TIMEOUT, "ClientTimeoutException", "Request timed out"),
            Failure::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Too many requests")
            }
            Failure::StreamsOff => (bad, "UnsupportedOperationException", "Streams are not enabled"),
            Failure::ConstraintViolation => (bad, "ConstraintViolationException", "A constraint was violated"),
            Failure::PreconditionsFailed => (bad, "PreconditionsFailedException", "A precondition failed"),
            Failure::InvalidArgument => (bad, "InvalidArgumentException", "An argument is invalid"),
            Failure::IllegalArgument => (bad, "IllegalArgumentException", "An argument is illegal"),
        };
        Self::new(status, code, message)
    }
}

impl From<anyhow::Error> for ErrorResponse {
    /// The emulator itself failed, for example because its journal cannot be written.
    fn from(error: anyhow::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailureException", format!("{error:#}"))
    }
}
