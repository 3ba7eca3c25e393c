//! Removal of devices whose token is dead, at most so many in an hour.
//!
//! With a wrong or revoked credential, or the key of another Firebase project, SNS can take the tokens of phones that are in
//! use for dead. The bound keeps their devices until an operator has mended the credential.

use std::num::NonZeroU32;

use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};

use super::{row::Device, table::DeviceTable};
use crate::{
    attribute::{number, seconds, text},
    condition::unless_condition_failed,
};

/// The partition key of the counters.
const REMOVALS: &str = "removals";
/// How long a counter is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
const SECONDS_PER_HOUR: i64 = 3_600;

/// The result of [`DeviceTable::remove_dead`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalOutcome {
    /// The device and the claim of its token are deleted.
    Removed,
    /// The device has registered again since it was read. Nothing was deleted.
    RegisteredAgain,
    /// Too many devices were removed in this hour. Nothing was deleted.
    LimitReached,
}

impl DeviceTable {
    /// Deletes `device` like [`unregister`](Self::unregister), unless `limit` devices were removed in the hour of `now`.
    pub async fn remove_dead(
        &self,
        device: &Device,
        limit: NonZeroU32,
        now: Timestamp,
    ) -> Result<RemovalOutcome, Failure> {
        if !self.count_removal(limit, now).await? {
            return Ok(RemovalOutcome::LimitReached);
        }
        let is_removed = self.unregister(device).await?;
        Ok(if is_removed { RemovalOutcome::Removed } else { RemovalOutcome::RegisteredAgain })
    }

    /// Counts one removal in the hour of `now`. `false` if the hour has `limit` already. A removal that then fails, or
    /// deletes nothing, stays counted.
    async fn count_removal(&self, limit: NonZeroU32, now: Timestamp) -> Result<bool, Failure> {
        const DOING: &str = "count the removal of a device";
        let expires_at = now.checked_add(KEPT).map_err(|error| Failure::bug(DOING, error))?;
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("user", text(REMOVALS))
            .key("item", text(hour(now)))
            .update_expression("ADD removed :one SET expires_at = :expires_at")
            .condition_expression("attribute_not_exists(removed) OR removed < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires_at", seconds(expires_at))
            .expression_attribute_values(":limit", number(limit));
        Ok(unless_condition_failed(DOING, update.send().await)?.is_some())
    }
}

/// The sort key of the counter for the hour of `now`.
fn hour(now: Timestamp) -> String {
    format!("hour#{}", now.as_second().div_euclid(SECONDS_PER_HOUR))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::{
            transact_write_items::TransactWriteItemsOutput,
            update_item::{UpdateItemError, UpdateItemOutput},
        },
        types::error::ConditionalCheckFailedException,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::push::{Platform, Token};

    use super::*;

    const NOW: Timestamp = Timestamp::constant(7 * SECONDS_PER_HOUR + 59, 0);

    fn table(rules: &[&Rule]) -> DeviceTable {
        DeviceTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules), "devices".to_owned())
    }

    fn device() -> Device {
        Device {
            user: "mina".into(),
            id: "phone".into(),
            endpoint_arn: "arn:e".into(),
            token: Token::try_from("t".to_owned()).expect("a token"),
            platform: Platform::Android,
            language: None,
            last_seen: NOW,
            registration: Some("r".into()),
        }
    }

    async fn remove(rules: &[&Rule]) -> RemovalOutcome {
        let limit = NonZeroU32::new(100).expect("a limit");
        table(rules).remove_dead(&device(), limit, NOW).await.expect("an outcome")
    }

    #[tokio::test]
    async fn removal_is_counted_in_its_hour_and_then_deletes_device_and_claim() {
        let count = mock!(Client::update_item)
            .match_requests(|request| {
                let key = |name: &str| request.key()?.get(name)?.as_s().ok().map(String::as_str);
                let value =
                    |name: &str| request.expression_attribute_values()?.get(name)?.as_n().ok().map(String::as_str);
                (key("user"), key("item")) == (Some("removals"), Some("hour#7"))
                    && (value(":limit"), value(":one")) == (Some("100"), Some("1"))
                    && value(":expires_at") == Some("111659")
                    && request.condition_expression() == Some("attribute_not_exists(removed) OR removed < :limit")
            })
            .then_output(|| UpdateItemOutput::builder().build());
        let delete = mock!(Client::transact_write_items)
            .match_requests(|request| request.transact_items().len() == 2)
            .then_output(|| TransactWriteItemsOutput::builder().build());
        assert_eq!(remove(&[&count, &delete]).await, RemovalOutcome::Removed);
        assert_eq!((count.num_calls(), delete.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn removal_beyond_the_limit_deletes_nothing() {
        let full = mock!(Client::update_item).then_error(|| {
            UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
        });
        assert_eq!(remove(&[&full]).await, RemovalOutcome::LimitReached);
    }
}
