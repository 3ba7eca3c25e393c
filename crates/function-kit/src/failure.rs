//! The kinds of failure: transient and bug.
//!
//! A permanent failure, such as a file that is no picture, is not an error here. It is a result, which is stored where the
//! client can see it.

use std::{any::Any, error::Error, fmt};

use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::StatusCode,
};
use serde_json::error::Category;

type Source = Box<dyn Error + Send + Sync>;

/// How a failure is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is retried; after the tries of the queue the message goes to the dead-letter queue.
    Transient,
    /// A retry cannot help: the message goes to the dead-letter queue at once, and an alarm is raised.
    Bug,
}

impl Kind {
    /// The name in logs and on dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Bug => "bug",
        }
    }
}

/// A failure with its kind, the action that failed, and its cause.
#[derive(Debug)]
pub struct Failure {
    /// How it is handled.
    pub kind: Kind,
    /// The action that failed, as a verb phrase.
    doing: &'static str,
    source: Source,
}

impl Failure {
    /// A failure that a retry may solve. `doing` is a verb phrase: "read the message".
    pub fn transient(doing: &'static str, source: impl Into<Source>) -> Self {
        Self { kind: Kind::Transient, doing, source: source.into() }
    }

    /// A failure that a retry cannot solve.
    pub fn bug(doing: &'static str, source: impl Into<Source>) -> Self {
        Self { kind: Kind::Bug, doing, source: source.into() }
    }

    /// A bug from a panic, with its text.
    pub fn panicked(doing: &'static str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::bug(doing, text.unwrap_or_else(|| "a panic without text".to_owned()))
    }

    /// A failure of a call to AWS, after the retries of the SDK.
    ///
    /// A request that AWS rejects as invalid (400) is a bug. Overload, timeouts and lost connections are transient, and also
    /// denied permissions (403), because they take time to spread after a deploy.
    pub fn aws<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        let is_bug = match &error {
            SdkError::ConstructionFailure(_) => true,
            SdkError::ServiceError(answer) => is_invalid(answer.raw().status(), error_code(answer.raw())),
            _ => false,
        };
        let kind = if is_bug { Kind::Bug } else { Kind::Transient };
        Self { kind, doing, source: Box::new(error) }
    }
}

/// Whether AWS rejects the request as invalid. Some errors with status 400 are transient: DynamoDB's throttling and
/// conflicts, S3's timeouts, and expired credentials, which the next execution environment replaces. The response to a
/// `HEAD` has no code.
fn is_invalid(status: StatusCode, code: Option<&str>) -> bool {
    const TRANSIENT: [&str; 9] = [
        "ExpiredToken",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    ];
    let is_transient = |code: &str| code.is_empty() || TRANSIENT.iter().any(|transient| code.contains(transient));
    status.as_u16() == 400 && !code.is_some_and(is_transient)
}

/// The text that contains the error code: a header or the body, depending on the protocol.
fn error_code(response: &HttpResponse) -> Option<&str> {
    let header = response.headers().get("x-amzn-errortype").or_else(|| response.headers().get("x-amzn-query-error"));
    header.or_else(|| response.body().bytes().and_then(|body| str::from_utf8(body).ok()))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}", self.doing)?;
        // The SDK's outer errors only say "service error", so the text has all causes.
        let mut cause: Option<&(dyn Error + 'static)> = Some(self.source.as_ref());
        while let Some(error) = cause {
            match error.downcast_ref::<serde_json::Error>() {
                Some(error) => write!(f, ": {} at line {} column {}", json_error(error), error.line(), error.column())?,
                None => write!(f, ": {error}")?,
            }
            cause = error.source();
        }
        Ok(())
    }
}

/// A JSON error without its own text, which repeats the input and so names and texts.
fn json_error(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Io => "unreadable JSON",
        Category::Syntax => "invalid JSON",
        Category::Data => "unexpected JSON",
        Category::Eof => "incomplete JSON",
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_invalid_request_is_a_bug() {
        let status = |code| StatusCode::try_from(code).expect("a status");
        assert!(is_invalid(status(400), Some("ValidationException")));
        assert!(is_invalid(status(400), None));
        for (code, error) in [
            (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
            (400, r#"{"__type":"com.amazonaws.sqs#RequestThrottled"}"#),
            (400, "com.amazon.coral.service#ExpiredTokenException"),
            (400, "<Error><Code>ExpiredToken</Code></Error>"),
            (400, "<Error><Code>RequestTimeout</Code></Error>"),
            (400, ""),
            (403, "AccessDenied"),
            (404, "ResourceNotFoundException"),
            (500, "InternalError"),
            (503, "SlowDown"),
        ] {
            assert!(!is_invalid(status(code), Some(error)), "{code} {error}");
        }
    }

    #[test]
    fn text_has_the_action_and_every_cause() {
        let cause = std::io::Error::other("the disk is full");
        assert_eq!(Failure::transient("write a file", cause).to_string(), "could not write a file: the disk is full");
    }

    #[test]
    fn text_repeats_nothing_of_malformed_json() {
        for (json, expected) in [
            ("\"미나\"", "unexpected JSON at line 1 column 8"),
            ("미나", "invalid JSON at line 1 column 1"),
            ("", "incomplete JSON at line 1 column 0"),
        ] {
            let cause = serde_json::from_str::<u8>(json).expect_err("no number");
            let text = Failure::bug("read the message", cause).to_string();
            assert_eq!(text, format!("could not read the message: {expected}"));
        }
    }
}
