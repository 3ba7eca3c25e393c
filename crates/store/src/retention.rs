use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use crate::attribute::seconds;

/// How long a row is kept that only protects against replays and late messages. It exceeds Neptune's longest retention,
/// 90 days, plus 14 days in a dead-letter queue.
const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 120);

/// When a row about a commit may expire, for the table's time to live.
pub fn expiry(committed_at: Timestamp) -> AttributeValue {
    seconds(committed_at.checked_add(RETENTION).unwrap_or(Timestamp::MAX))
}
