//! JSON log lines on standard output, from where Lambda collects them.
//!
//! Log ids, never tokens, names or texts. A key contains a file name, so log the id of the item.

use aws_lambda_events::sqs::SqsMessage;
use ring::digest::{SHA256, digest};
use tracing::{Span, error_span, level_filters::LevelFilter};
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder, format};

/// The message attribute with the X-Ray trace. SNS and SQS pass it on.
const TRACE: &str = "AWSTraceHeader";

/// Starts logging at the level in `AWS_LAMBDA_LOG_LEVEL`, which the function's `LoggingConfig` sets; by default `INFO`.
pub fn init() {
    let level =
        std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    lines(std::io::stdout).with_max_level(level).init();
}

/// What stands for a user in logs: the start of the SHA-256 of the `sub`, in hexadecimal digits. Logs outlive accounts.
/// Operators who know the user can find the lines: `printf %s SUB | sha256sum`.
pub fn user_hash(user: &str) -> String {
    let hash = digest(&SHA256, user.as_bytes());
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The span of a message: its id, and the trace of its sender. One batch has messages of many senders.
pub fn message_span(message: &SqsMessage) -> Span {
    let trace = message.attributes.get(TRACE).map(String::as_str);
    // At the highest level, because a filtered span would remove its fields from all lines.
    error_span!("message", message_id = message.message_id, trace)
}

fn lines<W: for<'a> MakeWriter<'a> + 'static>(
    writer: W,
) -> SubscriberBuilder<format::JsonFields, format::Format<format::Json>, LevelFilter, W> {
    tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_writer(writer)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use tracing::warn;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The line of a warning within `span`, where only warnings are logged.
    fn warned(span: impl FnOnce() -> Span) -> Value {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = lines(move || writer.clone()).with_max_level(LevelFilter::WARN).finish();
        tracing::subscriber::with_default(subscriber, || span().in_scope(|| warn!(kind = "transient", "again")));
        let line = log.0.lock().expect("a lock").clone();
        serde_json::from_slice(&line).expect("a line of JSON")
    }

    #[test]
    fn user_hash_is_the_start_of_sha_256() {
        // printf %s mina | sha256sum
        assert_eq!(user_hash("mina").len(), 16);
        assert_ne!(user_hash("mina"), user_hash("jun"));
        assert_eq!(user_hash(""), "e3b0c44298fc1c14");
    }

    #[test]
    fn line_within_a_message_has_its_id_and_trace() {
        let trace = "Root=1-6921f0a1-5f1c6b0e6f0a4a449d3c2f8f;Sampled=1";
        let traced = json!({"messageId": "m-1", "attributes": {"AWSTraceHeader": trace}});
        let line = warned(|| message_span(&serde_json::from_value(traced).expect("a message")));
        assert_eq!((&line["kind"], &line["message"]), (&json!("transient"), &json!("again")));
        assert_eq!(line["spans"], json!([{"name": "message", "message_id": "m-1", "trace": trace}]));
        let line = warned(|| message_span(&serde_json::from_value(json!({"messageId": "m-2"})).expect("a message")));
        assert_eq!(line["spans"], json!([{"name": "message", "message_id": "m-2"}]));
    }
}
