//! Event notifications of S3.

use serde_json::json;

/// The body of a notification as S3 writes it. `key` is the plain key; the notification has it URL-encoded.
pub fn s3_notification(event_name: &str, key: &str, sequencer: &str, size: usize, etag: &str) -> String {
    let encoded: String = key
        .bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": aws_client::REGION,
        "eventTime": "2026-11-22T03:04:05.678Z", "eventName": event_name,
        "s3": {"object": {"key": encoded, "size": size, "eTag": etag, "sequencer": sequencer}}
    }]})
    .to_string()
}
