use jiff::Timestamp;
use serde_json::{Value, json};

/// Something that SNS tells an application's topic (Amazon SNS Developer Guide, "Application event
/// notifications for mobile applications").
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The ARN of the topic.
    pub topic: String,
    /// The message's subject.
    pub subject: String,
    /// The message.
    pub message: Value,
}

/// UndisplayedReason a delivery failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureType {
    /// FCM calls the token `UNREGISTERED`.
    InvalidPlatformToken,
    /// FCM does not take the message, `INVALID_ARGUMENT`: the token or the message is wrong.
    DeliveryFailedPerm,
}

impl Event {
    /// An endpoint was created, changed or deleted: `what` is `EndpointCreated` or the like.
    pub fn of_endpoint(topic: &str, what: &str, application: &str, endpoint: &str, now: i64) -> Self {
        let message = json!({
            "EndpointArn": endpoint, "EventType": what, "Resource": application, "Service": "SNS", "Time": time(now),
        });
        Self { topic: topic.to_owned(), subject: subject(what, application), message }
    }

    /// A delivery failed for good.
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

fn subject(what: &str, application: &str) -> String {
    let name = application.rsplit('/').next().unwrap_or_default();
    format!("{what} event for app {name} (GCM)")
}

fn time(now: i64) -> String {
    let time = Timestamp::from_millisecond(now).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_as_aws_tells_it() {
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
