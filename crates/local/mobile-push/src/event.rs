use jiff::Timestamp;
use serde_json::{Value, json};

/// An event that SNS publishes to a topic of an application (Amazon SNS Developer Guide, "Application event notifications
/// for mobile applications").
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// ARN of the topic.
    pub topic: String,
    /// Subject of the message.
    pub subject: String,
    /// The message.
    pub message: Value,
}

/// UndisplayedReason a delivery failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureType {
    /// FCM returned `UNREGISTERED`.
    InvalidPlatformToken,
    /// FCM returned `INVALID_ARGUMENT`: the token or the message is invalid.
    DeliveryFailedPerm,
}

impl Event {
    /// An event about an endpoint; `event_type` is, for example, `EndpointCreated`.
    pub fn of_endpoint(topic: &str, event_type: &str, application: &str, endpoint: &str, now: i64) -> Self {
        let message = json!({
            "EndpointArn": endpoint, "EventType": event_type, "Resource": application, "Service": "SNS", "Time": time(now),
        });
        Self { topic: topic.to_owned(), subject: subject(event_type, application), message }
    }

    /// A permanent delivery failure.
    pub fn delivery_failure(
        topic: &str,
        failure: FailureType,
        application: &str,
        endpoint: &str,
        message_id: &str,
        now: i64,
    ) -> Self {
        let (kind, text) = match failure {
            FailureType::InvalidPlatformToken => {
                ("InvalidPlatformToken", "Platform token associated with the endpoint is not valid")
            }
            FailureType::DeliveryFailedPerm => ("DeliveryFailedPerm", "Request contains an invalid argument."),
        };
        let message = json!({
            "DeliveryAttempts": 1, "EndpointArn": endpoint, "EventType": "DeliveryFailure", "FailureMessage": text,
            "FailureType": kind, "MessageId": message_id, "Resource": application, "Service": "SNS", "Time": time(now),
        });
        Self { topic: topic.to_owned(), subject: subject("DeliveryFailure", application), message }
    }
}

fn subject(event_type: &str, application: &str) -> String {
    let name = application.rsplit('/').next().unwrap_or_default();
    format!("{event_type} event for app {name} (GCM)")
}

fn time(now: i64) -> String {
    let time = Timestamp::from_millisecond(now).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivery_failure_has_the_format_of_aws() {
        let application = "arn:aws:sns:r:a:app/GCM/iyagi";
        let failure = FailureType::InvalidPlatformToken;
        let event = Event::delivery_failure("topic", failure, application, "endpoint", "m", 1_524_763_788_732);
        assert_eq!(event.subject, "DeliveryFailure event for app iyagi (GCM)");
        let message = json!({
            "DeliveryAttempts": 1, "EndpointArn": "endpoint", "EventType": "DeliveryFailure",
            "FailureMessage": "Platform token associated with the endpoint is not valid",
            "FailureType": "InvalidPlatformToken", "MessageId": "m", "Resource": application, "Service": "SNS",
            "Time": "2018-04-26T17:29:48.732Z",
        });
        assert_eq!(event.message, message);
    }
}
