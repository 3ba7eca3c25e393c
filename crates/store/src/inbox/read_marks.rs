use aws_sdk_dynamodb::Client;
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::row::time_text;
use crate::{
    attribute::{get_text, text},
    condition::unless_condition_failed,
};

/// The table `inbox-read`: the time up to which each user has read the inbox.
///
/// ```text
/// user   through
/// sub    RFC 3339, with milliseconds
/// ```
#[derive(Debug, Clone)]
pub struct ReadMarks {
    client: Client,
    name: String,
}

impl ReadMarks {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// The time up to which `user` has read; strongly consistent. `None` if they have read nothing.
    pub async fn get(&self, user: &str) -> Result<Option<Timestamp>, Failure> {
        const DOING: &str = "read a read mark";
        let get = self.client.get_item().table_name(&self.name).key("user", text(user)).consistent_read(true);
        let row = get.send().await.map_err(|error| Failure::aws(DOING, error))?.item;
        let Some(row) = row else { return Ok(None) };
        let through = get_text(&row, "through").and_then(|through| through.parse().ok());
        through.map(Some).ok_or_else(|| Failure::bug(DOING, "it has an unexpected form"))
    }

    /// Moves the mark of `user` to `through`, unless it is later already.
    pub async fn advance(&self, user: &str, through: Timestamp) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("user", text(user))
            .update_expression("SET #through = :through")
            .condition_expression("attribute_not_exists(#through) OR #through < :through")
            .expression_attribute_names("#through", "through")
            .expression_attribute_values(":through", text(time_text(through)));
        unless_condition_failed("move a read mark", update.send().await).map(drop)
    }

    /// Deletes the mark of `user`.
    pub async fn delete(&self, user: &str) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.name).key("user", text(user));
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete a read mark", error))
    }
}
