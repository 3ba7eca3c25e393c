use std::{
    collections::{BTreeSet, HashMap, HashSet},
    num::NonZeroU32,
};

use api::{MediaBatch, MediaItem as Item, MediaList, Problem, ReportRequest};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::media::{MediaId, MediaItem, Relation, State};
use function_kit::failure::Failure;
use jiff::Timestamp;
use rest_kit::{
    page_token::LazyTokenCipher,
    request::caller,
    response::{HandlerError, created, json, no_content, respond},
};
use store::{
    media::{List, MediaTable, Projection},
    relations::Relations,
};
use tracing::info;

use crate::{
    cursor, etag,
    fields::Fields,
    link_window::LinkWindow,
    links::Links,
    openapi,
    originals::Originals,
    reports::Reports,
    request::{Query, Request},
    response, visibility,
};

/// The services that the handler uses.
pub struct Ports {
    /// The table of media items.
    pub table: MediaTable,
    /// Relations between callers and owners.
    pub relations: Relations,
    /// People's reports.
    pub reports: Reports,
    /// The bucket of originals.
    pub originals: Originals,
    /// Makes links to derivatives.
    pub links: Links,
    /// Protects cursors.
    pub cipher: LazyTokenCipher,
}

/// What a request costs its caller's rate limit.
pub fn cost(request: &ApiGatewayV2httpRequest) -> NonZeroU32 {
    Request::cost(request)
}

/// Handles one request. Failures are responses, too.
pub async fn handle(ports: &Ports, request: &ApiGatewayV2httpRequest, now: Timestamp) -> ApiGatewayV2httpResponse {
    respond(request, route(ports, request, now).await)
}

async fn route(
    ports: &Ports,
    request: &ApiGatewayV2httpRequest,
    now: Timestamp,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    if request.route_key.as_deref() == Some(openapi::ROUTE) {
        return openapi::handle(request);
    }
    let (caller, window) = (caller(request)?, LinkWindow::of(now));
    match Request::parse(request)? {
        Request::Item { id, fields } => {
            let item = visible_item(ports, caller, id, fields.projection()).await?;
            let view = View { links: &ports.links, window, caller, fields: &fields };
            let tag = view.etag([&item], "");
            if etag::matches(request, &tag) {
                return Ok(with_etag(etag::not_modified(), &tag));
            }
            let item = view.item(item).await?.ok_or_else(Problem::not_found)?;
            Ok(with_etag(json(&item), &tag))
        }
        Request::List(query) => list(ports, request, caller, query, window).await,
        Request::Batch { ids, fields } => {
            let view = View { links: &ports.links, window, caller, fields: &fields };
            Ok(json(&batch(ports, view, &ids).await?))
        }
        Request::SetVisibility { id, visibility } => {
            let item = own_item(ports, caller, id).await?;
            visibility::set(&ports.relations.audience, &ports.originals, &item, visibility).await?;
            Ok(no_content())
        }
        Request::Report(ReportRequest { media_id, reason, text }) => {
            let item = visible_item(ports, caller, media_id, Projection::Brief).await?;
            Ok(created(&ports.reports.take(caller, item, reason, text, now).await?))
        }
        Request::Delete { id } => {
            delete(ports, caller, id).await?;
            Ok(no_content())
        }
    }
}

/// The item `id`, if `caller` may see it. Otherwise the error is the same as for an item that does not exist.
async fn visible_item(
    ports: &Ports,
    caller: &str,
    id: MediaId,
    projection: Projection,
) -> Result<MediaItem, HandlerError> {
    let item = ports.table.get(id, projection).await?.ok_or_else(Problem::not_found)?;
    let is_visible = match item.is_visible_to(caller) {
        Some(is_visible) => is_visible,
        None => ports.relations.of(caller, &item.owner).await? == Relation::Follower,
    };
    if is_visible { Ok(item) } else { Err(Problem::not_found().into()) }
}

async fn list(
    ports: &Ports,
    request: &ApiGatewayV2httpRequest,
    caller: &str,
    query: Query,
    window: LinkWindow,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    let Query { owner, selection, order, limit, cursor, fields } = query;
    let owner = owner.unwrap_or_else(|| caller.to_owned());
    let mut list = List { owner, selection, relation: Relation::Stranger, order };
    // Before any read, so that an invalid cursor costs none.
    let after = match &cursor {
        Some(cursor) => Some(cursor::decrypt(&*ports.cipher.get().await?, caller, &list, cursor)?),
        None => None,
    };
    list.relation = ports.relations.of(caller, &list.owner).await?;
    let page = ports.table.list(&list, limit, after.as_ref(), fields.projection()).await?;
    let view = View { links: &ports.links, window, caller, fields: &fields };
    let next = page.next.as_ref().map(|sort_key| cursor::content(caller, &list, sort_key));
    let tag = view.etag(&page.items, next.as_deref().unwrap_or_default());
    if etag::matches(request, &tag) {
        return Ok(with_etag(etag::not_modified(), &tag));
    }
    let next = match &page.next {
        Some(sort_key) => Some(cursor::encrypt(&*ports.cipher.get().await?, caller, &list, sort_key)?),
        None => None,
    };
    Ok(with_etag(json(&MediaList { items: view.items(page.items).await?, next }), &tag))
}

async fn batch(ports: &Ports, view: View<'_>, ids: &[MediaId]) -> Result<MediaBatch, Failure> {
    let caller = view.caller;
    let found = ports.table.get_many(ids, view.fields.projection()).await?;
    let unclear: BTreeSet<_> =
        found.iter().filter(|item| item.is_visible_to(caller).is_none()).map(|item| item.owner.as_str()).collect();
    let relations = ports.relations.among(caller, &unclear).await?;
    let is_visible = |item: &MediaItem| {
        let follows = || relations.get(item.owner.as_str()) == Some(&Relation::Follower);
        item.is_visible_to(caller).unwrap_or_else(follows)
    };
    let visible: HashSet<_> = found.iter().filter(|item| is_visible(item)).map(|item| item.id).collect();
    let mut found: HashMap<_, _> = found.into_iter().map(|item| (item.id, item)).collect();
    // In the order of the request.
    let items = ids.iter().filter(|id| visible.contains(id)).filter_map(|id| found.remove(id)).collect();
    Ok(MediaBatch { items: view.items(items).await? })
}

/// Deletes the original. The workers process the event of the deletion: they delete the derivatives and the item.
async fn delete(ports: &Ports, caller: &str, id: MediaId) -> Result<(), HandlerError> {
    let item = own_item(ports, caller, id).await?;
    ports.originals.delete(&item.key).await?;
    info!(media_id = %id, "deleted the original");
    Ok(())
}

/// An item that the caller owns, without its derivatives.
async fn own_item(ports: &Ports, caller: &str, id: MediaId) -> Result<MediaItem, HandlerError> {
    let item = ports.table.get(id, Projection::Brief).await?.ok_or_else(Problem::not_found)?;
    // 404 also for an item that the caller may see but does not own.
    if item.owner != caller || matches!(item.state, State::Deleted { .. }) {
        return Err(Problem::not_found().into());
    }
    Ok(item)
}

/// The requested fields of items, as a caller sees them.
struct View<'a> {
    links: &'a Links,
    window: LinkWindow,
    caller: &'a str,
    fields: &'a Fields,
}

impl View<'_> {
    /// `None` if the item has been deleted.
    async fn item(&self, item: MediaItem) -> Result<Option<Item>, Failure> {
        let links = self.fields.have_links().then_some((self.links, self.window));
        Ok(response::media_item(item, self.caller, links).await?.map(|item| self.fields.select(item)))
    }

    async fn items(&self, items: Vec<MediaItem>) -> Result<Vec<Item>, Failure> {
        let mut visible = Vec::with_capacity(items.len());
        for item in items {
            visible.extend(self.item(item).await?);
        }
        Ok(visible)
    }

    /// The `ETag` of `items` and the content of the cursor `next`. It covers the state of each item, whether the caller
    /// owns it, and the links.
    fn etag<'i>(&self, items: impl IntoIterator<Item = &'i MediaItem>, next: &str) -> String {
        let mut parts = vec![self.fields.text(), next.to_owned()];
        let mut has_links = false;
        for item in items {
            has_links |= self.fields.have_links() && matches!(item.state, State::Ready(_, Some(_)));
            parts.extend([item.id.to_string(), item.position.to_string(), (item.owner == self.caller).to_string()]);
        }
        if has_links {
            parts.push(self.window.number().to_string());
        }
        etag::of(parts.iter().map(String::as_str))
    }
}

fn with_etag(mut response: ApiGatewayV2httpResponse, tag: &str) -> ApiGatewayV2httpResponse {
    etag::allow_revalidation(&mut response.headers, tag);
    response
}

#[cfg(test)]
mod tests;
