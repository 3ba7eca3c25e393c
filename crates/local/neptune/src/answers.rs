use axum::{http::StatusCode, response::Response};
use http_server::json;
use serde::Serialize;

use super::{database::Refusal, faults::Failure};

/// An answer that is no success: Neptune's body, and the status that goes with its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// What clients decide on.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl Problem {
    /// A request that cannot be understood.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterException", message)
    }

    /// Any.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The answer.
    pub fn into_response(self, request_id: String) -> Response {
        json(self.status, &ProblemJson { request_id, code: self.code, detailed_message: &self.message })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemJson<'a> {
    request_id: String,
    code: &'a str,
    detailed_message: &'a str,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Idle(head) => {
                let message = format!(
                    "Requested startEventId is from the future. Last valid eventId is [commitNum = {}, opNum = {}]",
                    head.commit_num, head.op_num
                );
                Self::new(StatusCode::NOT_FOUND, "StreamRecordsNotFoundException", message)
            }
            Refusal::Expired => {
                let message = "All records requested exceed the maximum age allowed and have expired";
                Self::new(StatusCode::BAD_REQUEST, "ExpiredStreamException", message)
            }
            Refusal::Failure(failure) => failure.into(),
            Refusal::Broken(error) => error.into(),
        }
    }
}

impl From<Failure> for Problem {
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

impl From<anyhow::Error> for Problem {
    /// The emulator itself failed: its file cannot be written, say.
    fn from(error: anyhow::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailureException", format!("{error:#}"))
    }
}
