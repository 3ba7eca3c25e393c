//! Notes of the collection of endpoints that no device has.

use domain::push::Token;
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{
    registration::{TokenClaim, is_absent, is_of},
    row::TokenRow,
    table::DeviceTable,
};
use crate::{
    attribute::{get_text, text},
    condition::{WriteOutcome, unless_condition_failed},
    row::write,
};

/// Key of the row with the cursor.
const CURSOR: (&str, &str) = ("collection", "cursor");

impl DeviceTable {
    /// Notes in the row of `token`, if it is still `claim`, that its endpoint is being deleted. A registration that has
    /// found the endpoint before then conflicts, and a later one does not use the endpoint.
    pub async fn begin_collection(
        &self,
        token: &Token,
        claim: Option<&TokenClaim>,
        endpoint_arn: &str,
        registration: &str,
        now: Timestamp,
    ) -> Result<WriteOutcome, Failure> {
        const DOING: &str = "note that an endpoint is being deleted";
        let row = TokenRow::deletion_note(token, endpoint_arn, registration, now);
        let condition = claim.map_or_else(is_absent, |claim| is_of(&claim.registration));
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(write(DOING, row)?))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values);
        let stored = unless_condition_failed(DOING, put.send().await)?;
        Ok(stored.map_or(WriteOutcome::Conflict, |_| WriteOutcome::Stored))
    }

    /// Where the collection continues; `None` at the beginning.
    pub async fn collection_cursor(&self) -> Result<Option<String>, Failure> {
        let row = self.row(CURSOR.0, CURSOR.1, "read the cursor of the collection").await?;
        Ok(row.and_then(|row| get_text(&row, "next").map(str::to_owned)))
    }

    /// Stores where the collection continues.
    pub async fn put_collection_cursor(&self, cursor: Option<&str>) -> Result<(), Failure> {
        let mut put =
            self.client.put_item().table_name(&self.name).item("user", text(CURSOR.0)).item("item", text(CURSOR.1));
        if let Some(cursor) = cursor {
            put = put.item("next", text(cursor));
        }
        put.send().await.map(drop).map_err(|error| Failure::aws("store the cursor of the collection", error))
    }
}
