//! The rows of a registration: the device, and the token that it has.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Delete, Put, TransactWriteItem},
};
use domain::push::Token;
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{
    row::{Device, DeviceRow, Holder, READ, TOKEN_ITEM, TokenRow, device_item, token_partition},
    table::DeviceTable,
};
use crate::{
    attribute::{Attributes, text},
    condition::{Transaction, transaction_outcome, unless_condition_failed},
    row::{read, write},
};

/// The row of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenClaim {
    /// Changes with each write of the row.
    pub registration: String,
    /// The endpoint of the token.
    pub endpoint_arn: String,
    /// User and id of the device that has the token. `None`: the endpoint has no device and is being deleted.
    pub holder: Option<(String, String)>,
}

impl TokenClaim {
    /// Whether the device `id` of `user` has the token.
    pub fn is_held_by(&self, user: &str, id: &str) -> bool {
        self.holder.as_ref().is_some_and(|(holder, device)| holder == user && device == id)
    }
}

/// The result of [`DeviceTable::register`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// Both rows are stored.
    Stored,
    /// A row has changed since it was read. Nothing was written; read again.
    Conflict,
    /// The row of the token names a device that no longer has it, as after a roll back to the version before. Nothing was
    /// written.
    StaleClaim,
}

/// Position of the other device's deletion in the transaction of a registration.
const HOLDER: usize = 2;

impl DeviceTable {
    /// Reads the row of `token`; strongly consistent.
    pub async fn token_claim(&self, token: &Token) -> Result<Option<TokenClaim>, Failure> {
        let row = self.row(&token_partition(&token.hash()), TOKEN_ITEM, "read a token").await?;
        row.map(|row| {
            let TokenRow { registration, endpoint_arn, holder, device, .. } = read(READ, row)?;
            Ok(TokenClaim { registration, endpoint_arn, holder: holder.zip(device) })
        })
        .transpose()
    }

    /// Stores `device` and the row of its token, if both are still as read: the device as `known`, the token as `claim`.
    /// Deletes the device that had the token, unless `is_claim_stale`, and the row of the token that `known` had.
    ///
    /// # Errors
    /// A bug if `device` has no registration.
    pub async fn register(
        &self,
        device: &Device,
        known: Option<&Device>,
        claim: Option<&TokenClaim>,
        is_claim_stale: bool,
    ) -> Result<RegisterOutcome, Failure> {
        const DOING: &str = "store a device";
        let registration = device.registration.clone().ok_or_else(|| Failure::bug(DOING, "it has no registration"))?;
        let bug = |error| Failure::bug(DOING, error);
        let hash = device.token.hash();
        let token_row = TokenRow {
            user: token_partition(&hash),
            item: TOKEN_ITEM.to_owned(),
            registration,
            endpoint_arn: device.endpoint_arn.clone(),
            holder: Some(device.user.clone()),
            device: Some(device.id.clone()),
            expires_at: None,
        };
        let token_condition = claim.map_or_else(is_absent, |claim| is_of(&claim.registration));
        let mut items = vec![
            self.put(write(DOING, DeviceRow::from(device))?, known.map_or_else(is_absent, is_unchanged))
                .map_err(bug)?,
            self.put(write(DOING, token_row)?, token_condition).map_err(bug)?,
        ];
        let other = claim.filter(|claim| !is_claim_stale && !claim.is_held_by(&device.user, &device.id));
        let other = other.and_then(|claim| Some((&claim.registration, claim.holder.as_ref()?)));
        if let Some((registration, (user, id))) = other {
            let delete = self.delete(user, &device_item(id), is_of(registration));
            items.push(delete.map_err(bug)?);
        }
        if let Some(known) = known.filter(|known| known.token != device.token)
            && let Some(registration) = &known.registration
        {
            let user = token_partition(&known.token.hash());
            items.push(self.delete(&user, TOKEN_ITEM, is_absent_or_of(registration)).map_err(bug)?);
        }
        let transaction = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        Ok(match transaction_outcome(DOING, transaction)? {
            Transaction::Applied => RegisterOutcome::Stored,
            Transaction::Rejected { failed } if other.is_some() && failed == [HOLDER] => RegisterOutcome::StaleClaim,
            Transaction::Rejected { .. } => RegisterOutcome::Conflict,
        })
    }

    /// Deletes the device that has `token`, as `claim` was read, and notes in the row of the token that the endpoint is being
    /// deleted: messages on their way to the device must not reach the next user. `registration` is a nonce.
    pub async fn evict(
        &self,
        token: &Token,
        claim: &TokenClaim,
        registration: &str,
        now: Timestamp,
    ) -> Result<RegisterOutcome, Failure> {
        const DOING: &str = "remove a device from its phone";
        let bug = |error| Failure::bug(DOING, error);
        let row = TokenRow::deletion_note(token, &claim.endpoint_arn, registration, now);
        let mut items = vec![self.put(write(DOING, row)?, is_of(&claim.registration)).map_err(bug)?];
        if let Some((user, id)) = &claim.holder {
            items.push(self.delete(user, &device_item(id), is_of(&claim.registration)).map_err(bug)?);
        }
        let transaction = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        Ok(match transaction_outcome(DOING, transaction)? {
            Transaction::Applied => RegisterOutcome::Stored,
            Transaction::Rejected { failed } if failed == [1] => RegisterOutcome::StaleClaim,
            Transaction::Rejected { .. } => RegisterOutcome::Conflict,
        })
    }

    /// Deletes `device` and the row of its token, if it has not registered again since it was read. Returns whether it
    /// was deleted.
    pub async fn unregister(&self, device: &Device) -> Result<bool, Failure> {
        const DOING: &str = "delete a device";
        let bug = |error| Failure::bug(DOING, error);
        let delete = self.delete(&device.user, &device_item(&device.id), is_unchanged(device));
        let mut items = vec![delete.map_err(bug)?];
        if let Some(registration) = &device.registration {
            let user = token_partition(&device.token.hash());
            items.push(self.delete(&user, TOKEN_ITEM, is_absent_or_of(registration)).map_err(bug)?);
        }
        let transaction = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        Ok(transaction_outcome(DOING, transaction)? == Transaction::Applied)
    }

    /// Deletes the device of `holder` if the version before wrote it and it still has `token` or the same endpoint.
    pub async fn delete_unclaimed(&self, token: &Token, holder: &Holder) -> Result<(), Failure> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key(&holder.user, &device_item(&holder.id))))
            .condition_expression(
                "attribute_not_exists(registration) AND (token_hash = :hash OR endpoint_arn = :endpoint)",
            )
            .expression_attribute_values(":hash", text(token.hash()))
            .expression_attribute_values(":endpoint", text(&holder.endpoint_arn));
        unless_condition_failed("delete a device", delete.send().await).map(drop)
    }

    fn put(&self, row: Attributes, condition: Condition) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(row))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values);
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    fn delete(&self, user: &str, item: &str, condition: Condition) -> Result<TransactWriteItem, BuildError> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key(user, item)))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values);
        Ok(TransactWriteItem::builder().delete(delete.build()?).build())
    }
}

fn key(user: &str, item: &str) -> Attributes {
    Attributes::from([("user".to_owned(), text(user)), ("item".to_owned(), text(item))])
}

/// The condition of a write.
pub(super) struct Condition {
    pub(super) expression: &'static str,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<Attributes>,
}

/// There is no row.
pub(super) fn is_absent() -> Condition {
    let names = HashMap::from([("#item".to_owned(), "item".to_owned())]);
    Condition { expression: "attribute_not_exists(#item)", names: Some(names), values: None }
}

/// The row is of this registration.
pub(super) fn is_of(registration: &str) -> Condition {
    with_values("registration = :registration", [(":registration", registration)])
}

/// There is no row, or it is of this registration.
fn is_absent_or_of(registration: &str) -> Condition {
    let expression = "attribute_not_exists(#item) OR registration = :registration";
    Condition { names: is_absent().names, ..with_values(expression, [(":registration", registration)]) }
}

/// The device has not registered again since it was read.
fn is_unchanged(device: &Device) -> Condition {
    let Some(registration) = &device.registration else {
        // A row of the version before.
        let expression = "attribute_not_exists(registration) AND token_hash = :hash AND endpoint_arn = :endpoint \
                          AND last_seen = :seen";
        let (hash, seen) = (device.token.hash(), device.last_seen.to_string());
        return with_values(expression, [(":hash", &hash), (":endpoint", &device.endpoint_arn), (":seen", &seen)]);
    };
    is_of(registration)
}

fn with_values<const N: usize>(expression: &'static str, values: [(&str, &str); N]) -> Condition {
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
    Condition { expression, names: None, values: Some(values) }
}
