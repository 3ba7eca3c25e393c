use std::collections::{BTreeSet, HashMap};

use api::{MediaBatch, MediaItem as Item, MediaList, Problem};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::media::{MediaId, MediaItem, Relation, State};
use function_kit::failure::Failure;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use rest_kit::{
    page_token::LazyTokenCipher,
    request::caller,
    response::{HandlerError, json, no_content, respond},
};
use store::{
    media::{List, MediaTable, Projection},
    relations::Relations,
};
use tracing::info;

use crate::{
    answer, cursor, document,
    epoch::Epoch,
    fields::Fields,
    links::Links,
    originals::Originals,
    request::{Query, Request},
    tag,
};

/// What the handler uses.
pub struct Ports {
    /// Of the items.
    pub table: MediaTable,
    /// Who follows whom.
    pub relations: Relations,
    /// What is deleted.
    pub originals: Originals,
    /// Where derived files are.
    pub links: Links,
    /// Encrypts cursors.
    pub cipher: LazyTokenCipher,
}

/// Answers one request; a failure is an answer, too.
pub async fn handle(ports: &Ports, request: &ApiGatewayV2httpRequest, now: Timestamp) -> ApiGatewayV2httpResponse {
    respond(request, answer(ports, request, Epoch::of(now)).await)
}

async fn answer(
    ports: &Ports,
    request: &ApiGatewayV2httpRequest,
    epoch: Epoch,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    if request.route_key.as_deref() == Some(document::ROUTE) {
        return document::answer(request);
    }
    let caller = caller(request)?;
    match Request::parse(request)? {
        Request::Item { id, fields } => {
            let item = visible(ports, caller, id, fields.detail()).await?;
            let tag = tag_of(caller, &fields, epoch, [&item], "");
            if tag::is_known(request, &tag) {
                return Ok(tagged(tag::not_modified(), &tag));
            }
            let item = shown(ports, caller, &fields, epoch, item).await?.ok_or_else(Problem::not_found)?;
            Ok(tagged(json(&item), &tag))
        }
        Request::List(query) => list(ports, request, caller, query, epoch).await,
        Request::Batch { ids, fields } => Ok(json(&batch(ports, caller, &ids, &fields, epoch).await?)),
        Request::Delete { id } => {
            delete(ports, caller, id).await?;
            Ok(no_content())
        }
    }
}

/// The item `id`, if `caller` may see it. That it exists and that they may not is the same as that
/// it does not exist.
async fn visible(ports: &Ports, caller: &str, id: MediaId, detail: Projection) -> Result<MediaItem, HandlerError> {
    let item = ports.table.get(id, detail).await?.ok_or_else(Problem::not_found)?;
    let is_shown = match item.is_visible_to(caller) {
        Some(is_shown) => is_shown,
        None => ports.relations.of(caller, &item.owner).await? == Relation::Follower,
    };
    if is_shown { Ok(item) } else { Err(Problem::not_found().into()) }
}

async fn list(
    ports: &Ports,
    request: &ApiGatewayV2httpRequest,
    caller: &str,
    query: Query,
    epoch: Epoch,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    let Query { owner, selection, order, limit, cursor, fields } = query;
    let owner = owner.unwrap_or_else(|| caller.to_owned());
    let mut list = List { owner, selection, relation: Relation::Stranger, order };
    // Before anything is read: a cursor of somebody else's costs nothing.
    let after = match &cursor {
        Some(cursor) => Some(cursor::decrypt(ports.cipher.get().await?, caller, &list, cursor)?),
        None => None,
    };
    list.relation = ports.relations.of(caller, &list.owner).await?;
    let page = ports.table.list(&list, limit, after.as_ref(), fields.detail()).await?;
    let next = match &page.next {
        Some(place) => Some(cursor::encrypt(ports.cipher.get().await?, caller, &list, place)?),
        None => None,
    };
    let tag = tag_of(caller, &fields, epoch, &page.items, next.as_deref().unwrap_or_default());
    if tag::is_known(request, &tag) {
        return Ok(tagged(tag::not_modified(), &tag));
    }
    let items = try_join_all(page.items.into_iter().map(|item| shown(ports, caller, &fields, epoch, item))).await?;
    Ok(tagged(json(&MediaList { items: items.into_iter().flatten().collect(), next }), &tag))
}

async fn batch(
    ports: &Ports,
    caller: &str,
    ids: &[MediaId],
    fields: &Fields,
    epoch: Epoch,
) -> Result<MediaBatch, Failure> {
    let found = ports.table.get_many(ids, fields.detail()).await?;
    let unclear: BTreeSet<_> =
        found.iter().filter(|item| item.is_visible_to(caller).is_none()).map(|item| item.owner.as_str()).collect();
    let relations = ports.relations.among(caller, &unclear).await?;
    let is_shown = |item: &MediaItem| {
        let follows = || relations.get(item.owner.as_str()) == Some(&Relation::Follower);
        item.is_visible_to(caller).unwrap_or_else(follows)
    };
    let seen: Vec<_> = found.iter().filter(|item| is_shown(item)).map(|item| item.id).collect();
    let mut found: HashMap<_, _> = found.into_iter().map(|item| (item.id, item)).collect();
    // In the order in which they were asked for.
    let seen = ids.iter().filter(|id| seen.contains(id)).filter_map(|id| found.remove(id));
    let seen: Vec<_> = seen.collect();
    let items = try_join_all(seen.into_iter().map(|item| shown(ports, caller, fields, epoch, item))).await?;
    Ok(MediaBatch { items: items.into_iter().flatten().collect() })
}

/// Deletes the original; all else follows from that, by its event.
async fn delete(ports: &Ports, caller: &str, id: MediaId) -> Result<(), HandlerError> {
    let item = ports.table.get(id, Projection::Brief).await?.ok_or_else(Problem::not_found)?;
    // Also of what they may see, others are told no more than that it is not theirs to delete.
    if item.owner != caller || matches!(item.state, State::Deleted { .. }) {
        return Err(Problem::not_found().into());
    }
    ports.originals.delete(&item.key).await?;
    info!(media_id = %id, "deletion was asked for");
    Ok(())
}

async fn shown(
    ports: &Ports,
    caller: &str,
    fields: &Fields,
    epoch: Epoch,
    item: MediaItem,
) -> Result<Option<Item>, Failure> {
    let links = fields.have_links().then_some((&ports.links, epoch));
    Ok(answer::shown(item, caller, links).await?.map(|item| fields.of(item)))
}

/// The tag of what `caller` sees of `items`: which state of each, whether as its owner, and which
/// links.
fn tag_of<'a>(
    caller: &str,
    fields: &Fields,
    epoch: Epoch,
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
        parts.push(epoch.number().to_string());
    }
    tag::of(parts.iter().map(String::as_str))
}

fn tagged(mut answer: ApiGatewayV2httpResponse, tag: &str) -> ApiGatewayV2httpResponse {
    tag::mark(&mut answer.headers, tag);
    answer
}

#[cfg(test)]
mod tests;
