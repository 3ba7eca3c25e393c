//! The kinds of failure: transient and bug.
//!
//! A permanent failure, such as a file that is no picture, is not an error here. It is a result, which is stored where the
//! client can see it.

use std::{any::Any, error::Error, fmt};

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use serde_json::error::Category;

use crate::error_code;
pub use crate::failure_kind::Kind;

type Source = Box<dyn Error + Send + Sync>;

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

    /// A failure of a call to AWS, after the retries of the SDK. The error's code decides the kind, see
    /// [`error_code`](crate::error_code). Timeouts and lost connections are transient.
    pub fn aws<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let kind = match &error {
            SdkError::ConstructionFailure(_) => Kind::Bug,
            SdkError::ServiceError(answer) => error_code::kind(answer.raw().status().as_u16(), answer.err().code()),
            _ => Kind::Transient,
        };
        Self { kind, doing, source: Box::new(error) }
    }

    /// A failure that a service answers to a call without the SDK: with this status, and the `code` of its error.
    pub fn aws_response(doing: &'static str, status: u16, code: Option<&str>) -> Self {
        let text = format!("status {status}, {}", code.unwrap_or("no error code"));
        Self { kind: error_code::kind(status, code), doing, source: text.into() }
    }

    /// A failure of one entry of a batch, by its `code`.
    pub fn aws_entry(doing: &'static str, code: Option<&str>) -> Self {
        // As for a call that fails with this code alone. An entry without one has no status either.
        let kind = error_code::kind(400, code);
        Self { kind, doing, source: code.unwrap_or("no error code").into() }
    }
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
    use aws_sdk_sqs::Client;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// The kind of a failed call that SQS answers with this status, header and body.
    async fn kind_of(status: u16, header: Option<(&'static str, &'static str)>, body: &'static str) -> Kind {
        let answer = mock!(Client::send_message).then_http_response(move || {
            let mut response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body));
            if let Some((name, value)) = header {
                response.headers_mut().insert(name, value);
            }
            response
        });
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&answer]);
        let error = sqs.send_message().queue_url("q").message_body("b").send().await.expect_err("an error");
        Failure::aws("send", error).kind
    }

    #[tokio::test]
    async fn code_of_a_call_decides_its_kind() {
        for code in [
            "com.amazon.coral.service#AccessDeniedException",
            "com.amazon.coral.service#UnrecognizedClientException",
            "com.amazon.coral.service#InvalidSignatureException",
            "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            "com.amazonaws.dynamodb.v20120810#ReplicatedWriteConflictException",
            "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            "com.amazonaws.kms#DisabledException",
        ] {
            let body: &'static str = format!(r#"{{"__type":"{code}","message":"no"}}"#).leak();
            assert_eq!(kind_of(400, None, body).await, Kind::Transient, "{code}");
        }
        let invalid = r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#;
        assert_eq!(kind_of(400, None, invalid).await, Kind::Bug);
    }

    #[tokio::test]
    async fn words_of_a_message_do_not_change_the_kind() {
        let body = r#"{"__type":"x#ValidationException","message":"1 error: Throttling RequestTimeout ExpiredToken"}"#;
        assert_eq!(kind_of(400, None, body).await, Kind::Bug);
        let body = r#"{"__type":"x#AccessDeniedException","message":"ValidationException"}"#;
        assert_eq!(kind_of(400, None, body).await, Kind::Transient);
    }

    #[tokio::test]
    async fn code_in_a_header_decides_the_kind() {
        let query = Some(("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"));
        assert_eq!(kind_of(400, query, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#).await, Kind::Transient);
        let denied = Some(("x-amzn-errortype", "AccessDeniedException:http://internal.amazon.com/coral/"));
        assert_eq!(kind_of(400, denied, "{}").await, Kind::Transient);
        assert_eq!(kind_of(400, Some(("x-amzn-errortype", "ValidationException")), "{}").await, Kind::Bug);
    }

    #[tokio::test]
    async fn answer_without_a_code_is_transient() {
        assert_eq!(kind_of(400, None, "").await, Kind::Transient);
        assert_eq!(kind_of(502, None, "<html>").await, Kind::Transient);
    }

    #[test]
    fn code_of_a_batch_entry_decides_its_kind() {
        for (code, expected) in
            [(Some("AccessDenied"), Kind::Transient), (Some("InvalidArgument"), Kind::Bug), (None, Kind::Transient)]
        {
            assert_eq!(Failure::aws_entry("delete", code).kind, expected, "{code:?}");
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
