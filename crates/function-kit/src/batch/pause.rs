use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use aws_lambda_events::sqs::SqsMessage;

/// The attribute that counts how often a message was given out.
const RECEIVE_COUNT: &str = "ApproximateReceiveCount";
/// After the first failure: what fails by chance is done with soon.
const FIRST: Duration = Duration::from_secs(5);
/// Each pause is so many times the one before.
const FACTOR: u32 = 6;
/// No pause is longer than this one's; with the five tries that the template grants, none would be.
const LAST: u32 = 4;

/// How long to wait before `message`, which has failed, is tried again: 5 s, 30 s, 3 min, 18 min,
/// and up to a quarter more, so that those which failed together do not come again together.
///
/// Five tries take 22 minutes and more, so that what AWS mends in a quarter of an hour buries nothing.
pub fn after(message: &SqsMessage) -> Duration {
    let receives = message.attributes.get(RECEIVE_COUNT).and_then(|count| count.parse::<u32>().ok());
    let pause = FIRST * FACTOR.pow(receives.unwrap_or(1).clamp(1, LAST) - 1);
    let mut hash = DefaultHasher::new();
    message.message_id.hash(&mut hash);
    pause + pause.mul_f64((hash.finish() % 1_000) as f64 / 4_000.0)
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
    fn pauses_grow_and_end_growing() {
        for (receives, seconds) in [("1", 5), ("2", 30), ("3", 180), ("4", 1_080), ("5", 1_080), ("900", 1_080)] {
            for id in ["a", "b", "c"] {
                let pause = after(&message(id, receives)).as_secs_f64() / f64::from(seconds);
                assert!((1.0..1.25).contains(&pause), "{receives}: {pause}");
            }
        }
        // What SQS does not count is tried as if for the first time.
        assert!(after(&message("a", "x")) < Duration::from_secs(7));
        assert!(after(&SqsMessage::default()) < Duration::from_secs(7));
    }

    #[test]
    fn what_failed_together_is_spread() {
        let pauses: std::collections::BTreeSet<_> =
            (0..100).map(|number| after(&message(&number.to_string(), "3"))).collect();
        assert!(pauses.len() > 80, "{}", pauses.len());
    }
}
