use std::collections::{BTreeSet, HashMap};

use api::{MediaBatch, MediaItem as Item, MediaList, Problem};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::media::{MediaId, MediaItem, Relation, State};
use function_kit::{
    failure::Failure,
    http::{NoAnswer, answered, json, no_content},
    request::caller,
    seal::SecretSealer,
};
use futures_util::future::try_join_all;
use jiff::Timestamp;
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
    request::{Query, Request},
    response,
};

/// The services that the handler uses.
pub struct Ports {
    /// The table of media items.
    pub table: MediaTable,
    /// Relations between callers and owners.
    pub relations: Relations,
    /// The bucket of originals.
    pub originals: Originals,
    /// Makes links to derivatives.
    pub links: Links,
    /// Protects cursors.
    pub sealer: SecretSealer,
}

/// Handles one request. Failures are responses, too.
pub async fn handle(ports: &Ports, request: &ApiGatewayV2httpRequest, now: Timestamp) -> ApiGatewayV2httpResponse {
    answered(request, route(ports, request, LinkWindow::of(now)).await)
}

async fn route(
    ports: &Ports,
    request: &ApiGatewayV2httpRequest,
    window: LinkWindow,
) -> Result<ApiGatewayV2httpResponse, NoAnswer> {
    if request.route_key.as_deref() == Some(openapi::ROUTE) {
        return openapi::handle(request);
    }
    let caller = caller(request)?;
    match Request::parse(request)? {
        Request::Item { id, fields } => {
            let item = visible_item(ports, caller, id, fields.projection()).await?;
            let tag = etag_of(caller, &fields, window, [&item], "");
            if etag::matches(request, &tag) {
                return Ok(with_etag(etag::not_modified(), &tag));
            }
            let item = view(ports, caller, &fields, window, item).await?.ok_or_else(Problem::not_found)?;
            Ok(with_etag(json(&item), &tag))
        }
        Request::List(query) => list(ports, request, caller, query, window).await,
        Request::Batch { ids, fields } => Ok(json(&batch(ports, caller, &ids, &fields, window).await?)),
        Request::Delete { id } => {
            delete(ports, caller, id).await?;
            Ok(no_content())
        }
    }
}

/// The item `id`, if `caller` may see it. Otherwise the error is the same as for an item that does not exist.
async fn visible_item(ports: &Ports, caller: &str, id: MediaId, projection: Projection) -> Result<MediaItem, NoAnswer> {
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
) -> Result<ApiGatewayV2httpResponse, NoAnswer> {
    let Query { owner, selection, order, limit, cursor, fields } = query;
    let owner = owner.unwrap_or_else(|| caller.to_owned());
    let mut list = List { owner, selection, relation: Relation::Stranger, order };
    // Before any read, so that an invalid cursor costs none.
    let after = match &cursor {
        Some(cursor) => Some(cursor::decode(ports.sealer.get().await?, caller, &list, cursor)?),
        None => None,
    };
    list.relation = ports.relations.of(caller, &list.owner).await?;
    let page = ports.table.list(&list, limit, after.as_ref(), fields.projection()).await?;
    let next = match &page.next {
        Some(sort_key) => Some(cursor::encode(ports.sealer.get().await?, caller, &list, sort_key)),
        None => None,
    };
    let tag = etag_of(caller, &fields, window, &page.items, next.as_deref().unwrap_or_default());
    if etag::matches(request, &tag) {
        return Ok(with_etag(etag::not_modified(), &tag));
    }
    let items = views(ports, caller, &fields, window, page.items).await?;
    Ok(with_etag(json(&MediaList { items, next }), &tag))
}

async fn batch(
    ports: &Ports,
    caller: &str,
    ids: &[MediaId],
    fields: &Fields,
    window: LinkWindow,
) -> Result<MediaBatch, Failure> {
    let found = ports.table.get_many(ids, fields.projection()).await?;
    let unclear: BTreeSet<_> =
        found.iter().filter(|item| item.is_visible_to(caller).is_none()).map(|item| item.owner.as_str()).collect();
    let relations = ports.relations.among(caller, &unclear).await?;
    let is_visible = |item: &MediaItem| {
        let follows = || relations.get(item.owner.as_str()) == Some(&Relation::Follower);
        item.is_visible_to(caller).unwrap_or_else(follows)
    };
    let visible: BTreeSet<_> = found.iter().filter(|item| is_visible(item)).map(|item| item.id).collect();
    let mut found: HashMap<_, _> = found.into_iter().map(|item| (item.id, item)).collect();
    // In the order of the request.
    let items = ids.iter().filter(|id| visible.contains(id)).filter_map(|id| found.remove(id)).collect();
    Ok(MediaBatch { items: views(ports, caller, fields, window, items).await? })
}

/// Deletes the original. The workers process the event of the deletion: they delete the derivatives and the item.
async fn delete(ports: &Ports, caller: &str, id: MediaId) -> Result<(), NoAnswer> {
    let item = ports.table.get(id, Projection::Brief).await?.ok_or_else(Problem::not_found)?;
    // 404 also for an item that the caller may see but does not own.
    if item.owner != caller || matches!(item.state, State::Deleted { .. }) {
        return Err(Problem::not_found().into());
    }
    ports.originals.delete(&item.key).await?;
    info!(media_id = %id, "deleted the original");
    Ok(())
}

/// The requested fields of an item as `caller` sees it; `None` if it has been deleted.
async fn view(
    ports: &Ports,
    caller: &str,
    fields: &Fields,
    window: LinkWindow,
    item: MediaItem,
) -> Result<Option<Item>, Failure> {
    let links = fields.have_links().then_some((&ports.links, window));
    Ok(response::media_item(item, caller, links).await?.map(|item| fields.select(item)))
}

async fn views(
    ports: &Ports,
    caller: &str,
    fields: &Fields,
    window: LinkWindow,
    items: Vec<MediaItem>,
) -> Result<Vec<Item>, Failure> {
    let views = try_join_all(items.into_iter().map(|item| view(ports, caller, fields, window, item))).await?;
    Ok(views.into_iter().flatten().collect())
}

/// The `ETag` of `items` as `caller` sees them. It covers the state of each, whether the caller owns it, and the links.
fn etag_of<'a>(
    caller: &str,
    fields: &Fields,
    window: LinkWindow,
    items: impl IntoIterator<Item = &'a MediaItem>,
    next: &str,
) -> String {
    let mut parts = vec![fields.text(), next.to_owned()];
    let mut has_links = false;
    for item in items {
        has_links |= fields.have_links() && matches!(item.state, State::Ready(_, Some(_)));
        parts.extend([item.id.to_string(), item.position.to_string(), (item.owner == caller).to_string()]);
    }
    if has_links {
        parts.push(window.number().to_string());
    }
    etag::of(parts.iter().map(String::as_str))
}

fn with_etag(mut response: ApiGatewayV2httpResponse, tag: &str) -> ApiGatewayV2httpResponse {
    etag::allow_revalidation(&mut response.headers, tag);
    response
}

#[cfg(test)]
mod tests;
