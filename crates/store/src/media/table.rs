use aws_sdk_dynamodb::Client;
use domain::media::{MediaId, MediaItem};
use function_kit::failure::Failure;

use super::{
    list::{List, Order, Page, SortKey},
    row::{self, Projection},
};
use crate::{
    attribute::{Attributes, text},
    batch_get::batch_get,
    condition::unless_condition_failed,
};

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
    /// The table has the same or a later position of the item. Nothing was written.
    Superseded,
}

impl MediaTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Stores `item`, unless the table has the same or a later position of it.
    pub async fn put(&self, item: MediaItem) -> Result<WriteOutcome, Failure> {
        let position = item.position.to_string();
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(row::to_attributes(item)?))
            .condition_expression("attribute_not_exists(id) OR #position < :position")
            .expression_attribute_names("#position", "position")
            .expression_attribute_values(":position", text(position));
        let stored = unless_condition_failed("store a media item", put.send().await)?;
        Ok(stored.map_or(WriteOutcome::Superseded, |_| WriteOutcome::Stored))
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
        let index = list.selection.index(list.relation);
        // One row more than requested: DynamoDB's own marker may be present although no rows follow.
        let rows = i32::try_from(limit + 1).map_err(|error| Failure::bug("list media items", error))?;
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
        let response = query.send().await.map_err(|error| Failure::aws("list media items", error))?;
        let rows = response.items.unwrap_or_default();
        // A response also ends at 1 MB.
        let has_more = rows.len() > limit || response.last_evaluated_key.is_some();
        let items: Vec<_> = rows.into_iter().take(limit).map(row::from_attributes).collect::<Result<_, _>>()?;
        let sort_key = |item: &MediaItem| Some(SortKey::of(item.id, item.state.upload()?.uploaded_at));
        let next = items.last().filter(|_| has_more).and_then(sort_key);
        Ok(Page { items, next })
    }
}

pub(super) fn key(id: MediaId) -> Attributes {
    Attributes::from([("id".to_owned(), text(id.to_string()))])
}
