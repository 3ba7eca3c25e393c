//! The kinds of failure.
//!
//! Permanent failures (a picture that is none) are no errors here: they are results, recorded
//! where the client can see them. What remains is worth another try, or nobody's fault but ours.

use std::{any::Any, error::Error, fmt};

use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::StatusCode,
};
use serde_json::error::Category;

type Source = Box<dyn Error + Send + Sync>;

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Try again; after the queue's tries, to its dead-letter queue.
    Transient,
    /// Trying again cannot help: to the dead-letter queue at once, and somebody must look.
    Bug,
}

impl Kind {
    /// As it stands in logs and on dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Bug => "bug",
        }
    }
}

/// A failure that knows its kind.
#[derive(Debug)]
pub struct Failure {
    /// What to do about it.
    pub kind: Kind,
    /// What was being done.
    doing: &'static str,
    source: Source,
}

impl Failure {
    /// Worth another try.
    pub fn transient(doing: &'static str, source: impl Into<Source>) -> Self {
        Self { kind: Kind::Transient, doing, source: source.into() }
    }

    /// Not worth another try.
    pub fn bug(doing: &'static str, source: impl Into<Source>) -> Self {
        Self { kind: Kind::Bug, doing, source: source.into() }
    }

    /// Something panicked: a bug, with the panic's own text.
    pub fn panicked(doing: &'static str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::bug(doing, text.unwrap_or_else(|| "a panic without a text".to_owned()))
    }

    /// A call to AWS failed, after the SDK's own retries.
    ///
    /// A request that AWS calls wrong (400) is a bug. All else may pass: overload, time-outs, lost
    /// connections, and also permissions (403), which take time to spread after a deploy.
    pub fn aws<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        let wrong = match &error {
            SdkError::ConstructionFailure(_) => true,
            SdkError::ServiceError(answer) => is_wrong(answer.raw().status(), error_code(answer.raw())),
            _ => false,
        };
        let kind = if wrong { Kind::Bug } else { Kind::Transient };
        Self { kind, doing, source: Box::new(error) }
    }
}

/// Whether AWS refused the request itself. It says 400 to some others, too: DynamoDB to throttled ones
/// and to conflicts, S3 to those that arrived too slowly, both to expired credentials, of which the
/// next execution environment has new ones. And to a `HEAD`, S3 cannot say what was wrong.
fn is_wrong(status: StatusCode, code: Option<&str>) -> bool {
    const MAY_PASS: [&str; 9] = [
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
    let may_pass = |code: &str| code.is_empty() || MAY_PASS.iter().any(|passing| code.contains(passing));
    status.as_u16() == 400 && !code.is_some_and(may_pass)
}

/// The error's code, from wherever the protocol puts it.
fn error_code(response: &HttpResponse) -> Option<&str> {
    let header = response.headers().get("x-amzn-errortype").or_else(|| response.headers().get("x-amzn-query-error"));
    header.or_else(|| response.body().bytes().and_then(|body| str::from_utf8(body).ok()))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}", self.doing)?;
        // The SDK's outermost errors say no more than "service error": the causes are the message.
        let mut cause: Option<&(dyn Error + 'static)> = Some(self.source.as_ref());
        while let Some(error) = cause {
            match error.downcast_ref::<serde_json::Error>() {
                Some(error) => write!(f, ": {} at line {} column {}", misread(error), error.line(), error.column())?,
                None => write!(f, ": {error}")?,
            }
            cause = error.source();
        }
        Ok(())
    }
}

/// What was wrong with JSON. Its own error would repeat what stands there: names and texts, which
/// belong into no log.
fn misread(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Io => "JSON that cannot be read",
        Category::Syntax => "no JSON",
        Category::Data => "JSON of another form",
        Category::Eof => "JSON that ends too early",
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_that_aws_calls_wrong_is_a_bug() {
        let status = |code| StatusCode::try_from(code).expect("a status");
        assert!(is_wrong(status(400), Some("ValidationException")));
        assert!(is_wrong(status(400), None));
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
            assert!(!is_wrong(status(code), Some(error)), "{code} {error}");
        }
    }

    #[test]
    fn says_what_was_being_done_and_every_cause() {
        let cause = std::io::Error::other("the disk is full");
        assert_eq!(Failure::transient("write a file", cause).to_string(), "could not write a file: the disk is full");
    }

    #[test]
    fn repeats_nothing_of_what_it_could_not_read() {
        for (json, wrong) in [
            ("\"미나\"", "JSON of another form at line 1 column 8"),
            ("미나", "no JSON at line 1 column 1"),
            ("", "JSON that ends too early at line 1 column 0"),
        ] {
            let cause = serde_json::from_str::<u8>(json).expect_err("no number");
            let text = Failure::bug("read the message", cause).to_string();
            assert_eq!(text, format!("could not read the message: {wrong}"));
        }
    }
}
