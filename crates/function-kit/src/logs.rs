//! JSON lines on standard output, which is where Lambda takes logs from.
//!
//! Log identifiers, never tokens, names or texts: a key holds a file name, so log the item's id.

use aws_lambda_events::{apigw::ApiGatewayV2httpRequest, sqs::SqsMessage};
use tracing::{Span, error_span, level_filters::LevelFilter};
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder, format};

/// The attribute of a message that says to which trace it belongs: SNS and SQS hand it on.
const TRACE: &str = "AWSTraceHeader";
/// What API Gateway adds to a request.
const TRACE_HEADER: &str = "x-amzn-trace-id";

/// Starts logging at the level in `AWS_LAMBDA_LOG_LEVEL`, which the function's `LoggingConfig`
/// sets; `INFO` if there is none.
pub fn init() {
    let level =
        std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    lines(std::io::stdout).with_max_level(level).init();
}

/// What all lines about a message say of it, in `spans`, beside the invocation's `requestId` and
/// `xrayTraceId`: its id, and the trace of whoever sent it. A batch has messages of many.
pub fn message(message: &SqsMessage) -> Span {
    let trace = message.attributes.get(TRACE).map(String::as_str);
    // Of the highest level, since a level that hid the span would hide it from its lines, too.
    error_span!("message", message_id = message.message_id, trace)
}

/// What all lines about a request say of it, likewise: the id that API Gateway gave it, and its trace.
pub fn request(request: &ApiGatewayV2httpRequest) -> Span {
    let trace = request.headers.get(TRACE_HEADER).and_then(|trace| trace.to_str().ok());
    error_span!("request", api_request_id = request.request_context.request_id, trace)
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
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a warning within `span` says, where only warnings are logged.
    fn warned(span: impl FnOnce() -> Span) -> Value {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = lines(move || writer.clone()).with_max_level(LevelFilter::WARN).finish();
        tracing::subscriber::with_default(subscriber, || span().in_scope(|| warn!(kind = "transient", "again")));
        let line = written.0.lock().expect("a lock").clone();
        serde_json::from_slice(&line).expect("a line of JSON")
    }

    #[test]
    fn lines_about_a_message_say_which_and_in_whose_trace() {
        let trace = "Root=1-6921f0a1-5f1c6b0e6f0a4a449d3c2f8f;Sampled=1";
        let traced = json!({"messageId": "m-1", "attributes": {"AWSTraceHeader": trace}});
        let line = warned(|| message(&serde_json::from_value(traced).expect("a message")));
        assert_eq!((&line["kind"], &line["message"]), (&json!("transient"), &json!("again")));
        assert_eq!(line["spans"], json!([{"name": "message", "message_id": "m-1", "trace": trace}]));
        let line = warned(|| message(&serde_json::from_value(json!({"messageId": "m-2"})).expect("a message")));
        assert_eq!(line["spans"], json!([{"name": "message", "message_id": "m-2"}]));
    }

    #[test]
    fn lines_about_a_request_say_which_and_nothing_that_it_says() {
        let asked = json!({
            "version": "2.0", "routeKey": "GET /v1/media", "rawPath": "/v1/media", "rawQueryString": "owner=mina",
            "headers": {"x-amzn-trace-id": "Root=1-1", "authorization": "Bearer secret"}, "isBase64Encoded": false,
            "requestContext": {"requestId": "r-1", "http": {"method": "GET"}}
        });
        let line = warned(|| request(&serde_json::from_value(asked).expect("a request")));
        assert_eq!(line["spans"], json!([{"name": "request", "api_request_id": "r-1", "trace": "Root=1-1"}]));
    }
}
