use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use aws_lambda_events::sqs::SqsMessage;

/// The attribute that counts receives of a message.
const RECEIVE_COUNT: &str = "ApproximateReceiveCount";
/// After the first failure: short, because most failures are brief.
const FIRST: Duration = Duration::from_secs(5);
/// The factor between two backoffs.
const FACTOR: u32 = 6;
/// The try after which the backoff stays the same. The template allows five tries, so four backoffs.
const LAST: u32 = 4;

/// The number of receives up to which a failed message holds back those that follow it in its FIFO group. They are received
/// with it each time. If it held them back every time, they would reach the dead-letter queue without having been tried.
const HOLDS_BACK: u32 = 3;

/// Whether a failed `message` holds back those that follow it in its group.
pub fn holds_back(message: &SqsMessage) -> bool {
    receives(message) <= HOLDS_BACK
}

/// How often the message was received, this time included; 1 if that is unknown.
fn receives(message: &SqsMessage) -> u32 {
    message.attributes.get(RECEIVE_COUNT).and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The backoff before a failed `message` is retried: 5 s, 30 s, 3 min, 18 min, plus up to a quarter of jitter.
///
/// Five tries take at least 22 minutes, so an outage of a quarter of an hour dead-letters nothing.
pub fn backoff(message: &SqsMessage) -> Duration {
    let backoff = FIRST * FACTOR.pow(receives(message).clamp(1, LAST) - 1);
    let mut hash = DefaultHasher::new();
    message.message_id.hash(&mut hash);
    backoff + backoff.mul_f64((hash.finish() % 1_000) as f64 / 4_000.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(id: &str, receives: &str) -> SqsMessage {
        serde_json::from_value(json!({"messageId": id, "attributes": {"ApproximateReceiveCount": receives}}))
            .expect("a message")
    }

    #[test]
    fn backoff_grows_up_to_18_minutes() {
        for (receives, seconds) in [("1", 5), ("2", 30), ("3", 180), ("4", 1_080), ("5", 1_080), ("900", 1_080)] {
            for id in ["a", "b", "c"] {
                let factor = backoff(&message(id, receives)).as_secs_f64() / f64::from(seconds);
                assert!((1.0..1.25).contains(&factor), "{receives}: {factor}");
            }
        }
        // Without a valid count it is that of the first try.
        assert!(backoff(&message("a", "x")) < Duration::from_secs(7));
        assert!(backoff(&SqsMessage::default()) < Duration::from_secs(7));
    }

    #[test]
    fn backoffs_of_a_batch_are_spread() {
        let backoffs: std::collections::BTreeSet<_> =
            (0..100).map(|number| backoff(&message(&number.to_string(), "3"))).collect();
        assert!(backoffs.len() > 80, "{}", backoffs.len());
    }
}
