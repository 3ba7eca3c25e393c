use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure};
use domain::{
    media::{Decision, MediaId, MediaItem},
    user_report::ReportReason,
};
use function_kit::failure::Failure;
use serde::de::IgnoredAny;

use super::{
    list::{List, Order, Page, SortKey},
    row::{self, Projection, Row},
};
use crate::{
    attribute::{Attributes, get_text, text},
    batch_get::batch_get,
    condition::unless_condition_failed,
    query_page::{QueryPage, query_page},
};

/// How often a write is tried while the item is taken down or restored.
const MAX_ATTEMPTS: usize = 5;

/// The table.
#[derive(Debug, Clone)]
pub struct MediaTable {
    client: Client,
    name: String,
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The item was stored.
    Stored,
    /// The table has the same or a later position of the item, or its state forbids the write. Nothing was written.
    Superseded,
}

impl MediaTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Stores `item`, unless the table has the same or a later position of it. An item that was taken down stays so, also
    /// its tombstone and what is uploaded to the same key afterwards.
    pub async fn put(&self, item: MediaItem) -> Result<WriteOutcome, Failure> {
        const DOING: &str = "store a media item";
        let position = item.position.to_string();
        let mut taken_down: Option<ReportReason> = None;
        for _ in 0..MAX_ATTEMPTS {
            let put = self.client.put_item().table_name(&self.name);
            let put = match taken_down {
                None => put.set_item(Some(row::to_attributes(item.clone())?)).condition_expression(
                    "attribute_not_exists(id) OR (#position < :position AND attribute_not_exists(taken_down))",
                ),
                Some(reason) => put
                    .set_item(Some(row::to_attributes(item.clone().taken_down(reason))?))
                    // A tombstone has it, too.
                    .item("taken_down", text(reason.as_ref()))
                    .condition_expression("#position < :position AND taken_down = :taken_down")
                    .expression_attribute_values(":taken_down", text(reason.as_ref())),
            };
            let put = put
                .expression_attribute_names("#position", "position")
                .expression_attribute_values(":position", text(&position))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let current = match put.send().await {
                Ok(_) => return Ok(WriteOutcome::Stored),
                Err(error) => match error.as_service_error() {
                    Some(PutItemError::ConditionalCheckFailedException(failed)) => failed.item.clone(),
                    _ => return Err(Failure::aws(DOING, error)),
                },
            };
            let current = current.unwrap_or_default();
            let is_before = get_text(&current, "position").is_some_and(|current| current < position.as_str());
            // A row that is gone has expired since the attempt before.
            let has_expired = taken_down.is_some() && current.is_empty();
            if !(is_before || has_expired) {
                return Ok(WriteOutcome::Superseded);
            }
            let reason = get_text(&current, "taken_down").map(str::parse).transpose();
            taken_down = reason.map_err(|_| Failure::bug(DOING, "the item was taken down for an unknown reason"))?;
        }
        Err(Failure::transient(DOING, "the item was taken down and restored meanwhile"))
    }

    /// Applies an operator's decision, unless the item was deleted, or the table has the same or a later position of it. An
    /// item is restored only if it was taken down.
    pub async fn decide(&self, decision: &Decision) -> Result<WriteOutcome, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(decision.id())))
            .expression_attribute_names("#position", "position")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":position", text(decision.position().to_string()))
            .expression_attribute_values(":deleted", text("deleted"));
        let update = match decision {
            Decision::TakeDown { reason, .. } => update
                .update_expression(
                    "SET taken_down = :taken_down, #state = :processing, #position = :position \
                     REMOVE derived, #reason, all_for_followers, all_for_anyone, kind_for_followers, kind_for_anyone, \
                     post_for_followers, post_for_anyone",
                )
                .condition_expression("#position < :position AND #state <> :deleted")
                .expression_attribute_names("#reason", "reason")
                .expression_attribute_values(":processing", text("processing"))
                .expression_attribute_values(":taken_down", text(reason.as_ref())),
            Decision::Restore { .. } => update
                .update_expression("SET #position = :position REMOVE taken_down")
                .condition_expression("attribute_exists(taken_down) AND #position < :position AND #state <> :deleted"),
        };
        let stored = unless_condition_failed("store an operator's decision", update.send().await)?;
        Ok(stored.map_or(WriteOutcome::Superseded, |_| WriteOutcome::Stored))
    }

    /// Whether an operator took the item down, also if it was deleted since; strongly consistent.
    pub async fn is_taken_down(&self, id: MediaId) -> Result<bool, Failure> {
        let get = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key(id)))
            .projection_expression("taken_down")
            .consistent_read(true);
        let response = get.send().await.map_err(|error| Failure::aws("read whether an item was taken down", error))?;
        Ok(response.item.is_some_and(|row| row.contains_key("taken_down")))
    }

    /// Reads the item `id`, tombstones included; strongly consistent.
    pub async fn get(&self, id: MediaId, projection: Projection) -> Result<Option<MediaItem>, Failure> {
        let (expression, names) = projection.expression().unzip();
        let get = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key(id)))
            .set_projection_expression(expression)
            .set_expression_attribute_names(names)
            .consistent_read(true);
        let response = get.send().await.map_err(|error| Failure::aws("read a media item", error))?;
        response.item.map(row::from_attributes).transpose()
    }

    /// Reads the items `ids`, which must be unique, tombstones included; strongly consistent and in no particular order.
    /// Missing items are left out.
    pub async fn get_many(&self, ids: &[MediaId], projection: Projection) -> Result<Vec<MediaItem>, Failure> {
        let keys = ids.iter().copied().map(key).collect();
        let projection = projection.expression();
        let rows = batch_get(&self.client, &self.name, keys, projection.as_ref(), "read media items").await?;
        rows.into_iter().map(row::from_attributes).collect()
    }

    /// Reads a page of up to `limit` items of `list`, without tombstones; eventually consistent. It starts after the sort
    /// key `after`.
    pub async fn list(
        &self,
        list: &List,
        limit: usize,
        after: Option<&SortKey>,
        projection: Projection,
    ) -> Result<Page, Failure> {
        const DOING: &str = "list media items";
        let index = list.selection.index(list.relation);
        // One row more than requested: DynamoDB's own marker may be present although no rows follow.
        let rows = i32::try_from(limit + 1).map_err(|error| Failure::bug(DOING, error))?;
        let (is_forward, beyond) = match list.order {
            Order::Newest => (false, "#list = :list AND listed_at < :after"),
            Order::Oldest => (true, "#list = :list AND listed_at > :after"),
        };
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(index)
            .scan_index_forward(is_forward)
            .limit(rows)
            .key_condition_expression(if after.is_some() { beyond } else { "#list = :list" })
            .expression_attribute_names("#list", index)
            .expression_attribute_values(":list", text(list.selection.key(&list.owner)));
        if let Some(SortKey(after)) = after {
            query = query.expression_attribute_values(":after", text(after));
        }
        if let Some((expression, names)) = projection.expression() {
            query = query.projection_expression(expression);
            for (alias, name) in names {
                query = query.expression_attribute_names(alias, name);
            }
        }
        let QueryPage { items: rows, last_evaluated_key } = query_page::<Row, IgnoredAny>(query, DOING).await?;
        // A response also ends at 1 MB.
        let has_more = rows.len() > limit || last_evaluated_key.is_some();
        let items: Vec<_> = rows.into_iter().take(limit).map(MediaItem::try_from).collect::<Result<_, _>>()?;
        let sort_key = |item: &MediaItem| Some(SortKey::of(item.id, item.state.upload()?.uploaded_at));
        let next = items.last().filter(|_| has_more).and_then(sort_key);
        Ok(Page { items, next })
    }
}

pub(super) fn key(id: MediaId) -> Attributes {
    Attributes::from([("id".to_owned(), text(id.to_string()))])
}
