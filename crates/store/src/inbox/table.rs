use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, Select},
};
use domain::push::{INBOX_RETENTION, InboxEntry, InboxGroup};
use function_kit::{failure::Failure, nonce::nonce};
use jiff::Timestamp;

use super::row::{
    GROUP_PREFIX, Holder, StoredGroup, edge_partition, expires_at, group_key, key, required, time_text, user_partition,
};
use crate::{
    attribute::{Attributes, get_text, text},
    condition::unless_condition_failed,
};

/// The local index of a user's groups by `updated_at`.
const BY_TIME: &str = "by-time";
/// Attempts to write a group that others change at the same time.
const MAX_ATTEMPTS: u32 = 12;
/// Recipients of an edge in one response.
const HOLDERS_PER_PAGE: i32 = 100;

/// The table.
#[derive(Debug, Clone)]
pub struct InboxTable {
    client: Client,
    name: String,
}

/// A page of a user's groups, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxPage {
    /// At most as many as requested.
    pub groups: Vec<StoredGroup>,
    /// The group after which the next page starts, if there is one.
    pub next: Option<InboxPosition>,
}

/// Position of a group among the groups of a user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InboxPosition {
    /// Time of the group's last entry, as text.
    pub updated_at: String,
    /// Key of the group.
    pub key: String,
}

impl InboxTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Records who has an entry of an edge, before the entry is added.
    pub async fn add_holder(&self, edge: &str, holder: &Holder, now: Timestamp) -> Result<(), Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(key(edge_partition(edge), holder.sort_key())))
            .item("recipient", text(&holder.recipient))
            .item("rule", text(&holder.rule))
            .item("group", text(&holder.group))
            .item("expires_at", expires_at(now));
        put.send().await.map(drop).map_err(|error| Failure::aws("record a recipient", error))
    }

    /// Recipients who may have an entry of an edge; strongly consistent.
    pub async fn holders(&self, edge: &str) -> Result<Vec<Holder>, Failure> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .limit(HOLDERS_PER_PAGE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(edge_partition(edge)));
        let mut rows = query.into_paginator().items().send();
        let mut holders = Vec::new();
        while let Some(row) = rows.next().await {
            holders.push(Holder::read(&row.map_err(|error| Failure::aws("read recipients", error))?)?);
        }
        Ok(holders)
    }

    /// Forgets a recipient of an edge, after the entry was removed.
    pub async fn remove_holder(&self, edge: &str, holder: &Holder) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.name);
        let delete = delete.set_key(Some(key(edge_partition(edge), holder.sort_key())));
        delete.send().await.map(drop).map_err(|error| Failure::aws("forget a recipient", error))
    }

    /// Adds an entry to a group of `user`. Returns whether it is new.
    pub async fn add(&self, user: &str, rule: &str, key: &str, entry: &InboxEntry) -> Result<bool, Failure> {
        // Most groups have one entry: try without reading.
        let mut group = InboxGroup::default();
        group.add(entry.clone());
        let new = StoredGroup { key: key.to_owned(), rule: rule.to_owned(), group };
        if self.put(user, &new, None).await? {
            return Ok(true);
        }
        self.change(user, rule, key, |group| group.add(entry.clone())).await
    }

    /// Changes a group of `user`, if there is one or `change` fills it. Returns whether it has changed.
    pub async fn change(
        &self,
        user: &str,
        rule: &str,
        group_key: &str,
        change: impl Fn(&mut InboxGroup) -> bool,
    ) -> Result<bool, Failure> {
        for _ in 0..MAX_ATTEMPTS {
            let row = self.row(user, group_key).await?;
            let revision = row.as_ref().map(|row| required(row, "revision").map(str::to_owned)).transpose()?;
            let mut stored = match &row {
                Some(row) => StoredGroup::read(row)?,
                None => StoredGroup { key: group_key.to_owned(), rule: rule.to_owned(), group: InboxGroup::default() },
            };
            if !change(&mut stored.group) {
                return Ok(false);
            }
            let is_written = if stored.group.is_empty() {
                self.delete(user, group_key, revision).await?
            } else {
                self.put(user, &stored, revision).await?
            };
            if is_written {
                return Ok(true);
            }
        }
        Err(Failure::transient("write a group of the inbox", "others change it at the same time"))
    }

    /// A page of up to `limit` groups that `user` has at `now`, after `after`; strongly consistent.
    pub async fn page(
        &self,
        user: &str,
        after: Option<&InboxPosition>,
        limit: i32,
        now: Timestamp,
    ) -> Result<InboxPage, Failure> {
        const DOING: &str = "read a page of the inbox";
        let start = after.map(|after| {
            let mut start = key(user_partition(user), group_key(&after.key));
            start.insert("updated_at".to_owned(), text(&after.updated_at));
            start
        });
        let query =
            self.since(user, kept_since(now)).scan_index_forward(false).limit(limit).set_exclusive_start_key(start);
        let response = query.send().await.map_err(|error| Failure::aws(DOING, error))?;
        let groups = response.items.unwrap_or_default().iter().map(StoredGroup::read).collect::<Result<_, _>>()?;
        let position = |row: Attributes| {
            let key = get_text(&row, "sk")?.strip_prefix(GROUP_PREFIX)?.to_owned();
            Some(InboxPosition { updated_at: get_text(&row, "updated_at")?.to_owned(), key })
        };
        Ok(InboxPage { groups, next: response.last_evaluated_key.and_then(position) })
    }

    /// Number of groups that `user` has at `now` with entries after `read_through`, at most `max`; strongly consistent.
    pub async fn count_unread(
        &self,
        user: &str,
        read_through: Option<Timestamp>,
        now: Timestamp,
        max: u32,
    ) -> Result<u32, Failure> {
        let since = read_through.unwrap_or(Timestamp::MIN).max(kept_since(now));
        let query = self.since(user, since).select(Select::Count).limit(i32::try_from(max).unwrap_or(i32::MAX));
        let response = query.send().await.map_err(|error| Failure::aws("count unread notifications", error))?;
        Ok(u32::try_from(response.count).unwrap_or_default())
    }

    fn since(&self, user: &str, since: Timestamp) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .index_name(BY_TIME)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND updated_at > :since")
            .expression_attribute_values(":pk", text(user_partition(user)))
            .expression_attribute_values(":since", text(time_text(since)))
    }

    async fn row(&self, user: &str, group: &str) -> Result<Option<Attributes>, Failure> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let response = get.set_key(Some(key(user_partition(user), group_key(group)))).send().await;
        response.map(|response| response.item).map_err(|error| Failure::aws("read a group of the inbox", error))
    }

    /// Stores a group over the revision `before`; `None`: only if there is no row. Returns whether it was stored.
    async fn put(&self, user: &str, stored: &StoredGroup, before: Option<String>) -> Result<bool, Failure> {
        const DOING: &str = "write a group of the inbox";
        let StoredGroup { key: group, rule, group: content } = stored;
        let updated_at = content.updated_at().ok_or_else(|| Failure::bug(DOING, "it is empty"))?;
        let content = serde_json::to_string(content).map_err(|error| Failure::bug(DOING, error))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(key(user_partition(user), group_key(group))))
            .item("rule", text(rule))
            .item("content", text(content))
            .item("updated_at", text(time_text(updated_at)))
            .item("revision", text(nonce()?))
            .item("expires_at", expires_at(updated_at));
        let put = match before {
            Some(before) => put
                .condition_expression("revision = :before")
                .expression_attribute_values(":before", AttributeValue::S(before)),
            None => put.condition_expression("attribute_not_exists(pk)"),
        };
        Ok(unless_condition_failed(DOING, put.send().await)?.is_some())
    }

    /// Deletes an empty group at the revision `before`. Returns whether it is deleted.
    async fn delete(&self, user: &str, group: &str, before: Option<String>) -> Result<bool, Failure> {
        let Some(before) = before else { return Ok(true) };
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key(user_partition(user), group_key(group))))
            .condition_expression("revision = :before")
            .expression_attribute_values(":before", text(before));
        Ok(unless_condition_failed("delete a group of the inbox", delete.send().await)?.is_some())
    }
}

/// Time since which the inbox keeps entries. DynamoDB deletes expired rows late.
fn kept_since(now: Timestamp) -> Timestamp {
    now.checked_sub(INBOX_RETENTION).unwrap_or(Timestamp::MIN)
}
