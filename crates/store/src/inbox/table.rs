use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, ConditionCheck, Put, Select, TransactWriteItem},
};
use domain::{
    graph::GenerationPosition,
    push::{INBOX_RETENTION, InboxEntry, InboxGroup, Register},
};
use function_kit::{failure::Failure, nonce::nonce};
use jiff::Timestamp;

use super::row::{
    GROUP_PREFIX, GroupRow, Holder, LastKey, StoredGroup, edge_partition, expires_at, group_key, key, required,
    time_text, user_partition,
};
use crate::{
    attribute::{Attributes, text},
    condition::{Transaction, transaction_outcome, unless_condition_failed},
    query_page::{QueryPage, query_page},
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
    pub(super) client: Client,
    pub(super) name: String,
}

/// A conditional write of a group.
pub(super) struct GroupPut {
    pub(super) item: Attributes,
    condition: &'static str,
    values: Option<Attributes>,
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

    /// Records who has an entry of an edge, before the entry is added. A tombstone of the edge stays.
    pub async fn add_holder(&self, edge: &str, holder: &Holder, now: Timestamp) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(edge_partition(edge), holder.sort_key())))
            .update_expression("SET recipient = :recipient, #rule = :rule, #group = :group, expires_at = :expires_at")
            .expression_attribute_names("#rule", "rule")
            .expression_attribute_names("#group", "group")
            .expression_attribute_values(":recipient", text(&holder.recipient))
            .expression_attribute_values(":rule", text(&holder.rule))
            .expression_attribute_values(":group", text(&holder.group))
            .expression_attribute_values(":expires_at", expires_at(now));
        update.send().await.map(drop).map_err(|error| Failure::aws("record a recipient", error))
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

    /// Leaves the tombstone of an edge that was removed at `position`, before the entry is removed.
    pub async fn withdraw_holder(
        &self,
        edge: &str,
        holder: &Holder,
        position: GenerationPosition,
    ) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(edge_partition(edge), holder.sort_key())))
            .update_expression("SET withdrawn = :position")
            // A late call does not bring back an expired row.
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(withdrawn) OR withdrawn < :position)")
            .expression_attribute_values(":position", position_text(position));
        unless_condition_failed("withdraw a notification", update.send().await).map(drop)
    }

    /// Adds an entry to the group of its recipient. Returns whether it is new.
    pub async fn add(&self, holder: &Holder, entry: &InboxEntry) -> Result<bool, Failure> {
        if self.put(&holder.recipient, &first(holder, entry), None).await? {
            return Ok(true);
        }
        self.add_to_existing(holder, entry).await
    }

    /// Adds an entry to a group that was there a moment ago. Returns whether the entry is new.
    pub(super) async fn add_to_existing(&self, holder: &Holder, entry: &InboxEntry) -> Result<bool, Failure> {
        let Holder { recipient, rule, group } = holder;
        self.change(recipient, rule, group, |group| group.add(entry.clone())).await
    }

    /// As [`InboxTable::add`], in one transaction with a check that the edge has no later tombstone. Needs the row of
    /// [`InboxTable::add_holder`].
    pub async fn add_unless_withdrawn(&self, holder: &Holder, entry: &InboxEntry) -> Result<bool, Failure> {
        const DOING: &str = "add a notification";
        let mut revision = None;
        // Most groups have one entry: try without reading.
        let mut stored = first(holder, entry);
        for _ in 0..MAX_ATTEMPTS {
            let check = ConditionCheck::builder()
                .table_name(&self.name)
                .set_key(Some(key(edge_partition(&entry.edge), holder.sort_key())))
                .condition_expression(
                    "attribute_exists(pk) AND (attribute_not_exists(withdrawn) OR withdrawn < :position)",
                )
                .expression_attribute_values(":position", position_text(entry.position))
                .build()
                .map_err(|error| Failure::bug(DOING, error))?;
            let put = Self::row_of(&holder.recipient, &stored, revision.take())?;
            let put = Put::builder()
                .table_name(&self.name)
                .set_item(Some(put.item))
                .condition_expression(put.condition)
                .set_expression_attribute_values(put.values)
                .build()
                .map_err(|error| Failure::bug(DOING, error))?;
            let items = [
                TransactWriteItem::builder().condition_check(check).build(),
                TransactWriteItem::builder().put(put).build(),
            ];
            let result = self.client.transact_write_items().set_transact_items(Some(items.into())).send().await;
            match transaction_outcome(DOING, result)? {
                Transaction::Applied => return Ok(true),
                Transaction::Rejected { failed } if failed.contains(&0) => return Ok(false),
                Transaction::Rejected { .. } => {}
            }
            (stored, revision) = self.read(&holder.recipient, &holder.rule, &holder.group).await?;
            if !stored.group.add(entry.clone()) {
                return Ok(false);
            }
        }
        Err(Failure::transient(DOING, "others change the group at the same time"))
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
            let (mut stored, revision) = self.read(user, rule, group_key).await?;
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
        let since = kept_since(now);
        // DynamoDB refuses a start key that the key condition excludes, and what follows is older.
        if after.is_some_and(|after| after.updated_at <= time_text(since)) {
            return Ok(InboxPage::default());
        }
        let start = after.map(|after| {
            let mut start = key(user_partition(user), group_key(&after.key));
            start.insert("updated_at".to_owned(), text(&after.updated_at));
            start
        });
        let query = self.since(user, since).scan_index_forward(false).limit(limit).set_exclusive_start_key(start);
        let QueryPage { items, last_evaluated_key } = query_page::<GroupRow, LastKey>(query, DOING).await?;
        let groups = items.into_iter().map(StoredGroup::try_from).collect::<Result<_, _>>()?;
        let position = |LastKey { sk, updated_at }| {
            Some(InboxPosition { updated_at, key: sk.strip_prefix(GROUP_PREFIX)?.to_owned() })
        };
        Ok(InboxPage { groups, next: last_evaluated_key.and_then(position) })
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

    /// A group of `user` and its revision; an empty group without one, if there is no row.
    pub(super) async fn read(
        &self,
        user: &str,
        rule: &str,
        group: &str,
    ) -> Result<(StoredGroup, Option<String>), Failure> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let response = get.set_key(Some(key(user_partition(user), group_key(group)))).send().await;
        let row = response.map_err(|error| Failure::aws("read a group of the inbox", error))?.item;
        Ok(match &row {
            Some(row) => (StoredGroup::read(row)?, Some(required(row, "revision")?.to_owned())),
            None => (StoredGroup { key: group.to_owned(), rule: rule.to_owned(), group: InboxGroup::default() }, None),
        })
    }

    /// Stores a group over the revision `before`; `None`: only if there is no row. Returns whether it was stored.
    async fn put(&self, user: &str, stored: &StoredGroup, before: Option<String>) -> Result<bool, Failure> {
        const DOING: &str = "write a group of the inbox";
        let GroupPut { item, condition, values } = Self::row_of(user, stored, before)?;
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item)).condition_expression(condition);
        let put = put.set_expression_attribute_values(values).send().await;
        Ok(unless_condition_failed(DOING, put)?.is_some())
    }

    /// The row of a group, to be written over the revision `before`.
    pub(super) fn row_of(user: &str, stored: &StoredGroup, before: Option<String>) -> Result<GroupPut, Failure> {
        const DOING: &str = "write a group of the inbox";
        let StoredGroup { key: group, rule, group: content } = stored;
        let updated_at = content.updated_at().ok_or_else(|| Failure::bug(DOING, "it is empty"))?;
        let content = serde_json::to_string(content).map_err(|error| Failure::bug(DOING, error))?;
        let mut item = key(user_partition(user), group_key(group));
        item.extend([
            ("rule".to_owned(), text(rule)),
            ("content".to_owned(), text(content)),
            ("updated_at".to_owned(), text(time_text(updated_at))),
            ("revision".to_owned(), text(nonce()?)),
            ("expires_at".to_owned(), expires_at(updated_at)),
        ]);
        Ok(match before {
            Some(before) => GroupPut {
                item,
                condition: "revision = :before",
                values: Some(Attributes::from([(":before".to_owned(), text(before))])),
            },
            None => GroupPut { item, condition: "attribute_not_exists(pk)", values: None },
        })
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

/// A group with its first entry.
pub(super) fn first(holder: &Holder, entry: &InboxEntry) -> StoredGroup {
    let mut group = InboxGroup::default();
    group.add(entry.clone());
    StoredGroup { key: holder.group.clone(), rule: holder.rule.clone(), group }
}

/// A position as text that sorts like positions.
fn position_text(position: GenerationPosition) -> AttributeValue {
    text(Register::tombstone(position).to_string())
}

/// Time since which the inbox keeps entries. DynamoDB deletes expired rows late.
fn kept_since(now: Timestamp) -> Timestamp {
    now.checked_sub(INBOX_RETENTION).unwrap_or(Timestamp::MIN)
}
