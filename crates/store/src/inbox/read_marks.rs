use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::row::time_text;
use crate::{
    attribute::{Attributes, get_text, text},
    batch_get::batch_get,
    condition::unless_condition_failed,
};

const DOING: &str = "read a read mark";

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
        let get = self.client.get_item().table_name(&self.name).key("user", text(user)).consistent_read(true);
        let row = get.send().await.map_err(|error| Failure::aws(DOING, error))?.item;
        row.as_ref().map(through).transpose()
    }

    /// The times up to which these users have read; strongly consistent. Users who have read nothing are left out. `users`
    /// must be different.
    ///
    /// # Errors
    /// If the call fails. A row that cannot be read is an error of its user only.
    pub async fn get_many(&self, users: &[&str]) -> Result<HashMap<String, Result<Timestamp, Failure>>, Failure> {
        let keys = users.iter().map(|user| Attributes::from([("user".to_owned(), text(*user))])).collect();
        let rows = batch_get(&self.client, &self.name, keys, None, DOING).await?;
        let mark = |row: Attributes| Some((get_text(&row, "user")?.to_owned(), through(&row)));
        Ok(rows.into_iter().filter_map(mark).collect())
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

fn through(row: &Attributes) -> Result<Timestamp, Failure> {
    let through = get_text(row, "through").and_then(|through| through.parse().ok());
    through.ok_or_else(|| Failure::bug(DOING, "it has an unexpected form"))
}
