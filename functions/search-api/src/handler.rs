use std::collections::HashSet;

use api::{MAX_SUGGESTIONS, SearchResults, Suggestion, Suggestions};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::search::{Kind, Query};
use function_kit::failure::Failure;
use opensearch::{Compare, Hit, Search, SortKey};
use rest_kit::{
    page_token::LazyTokenCipher,
    request::caller,
    response::{HandlerError, json, respond},
};

use crate::{
    answer::{result, suggestion},
    cursor,
    find::Find,
    request::{Request, Wanted},
    visible::{Seen, Visible},
};

/// How often more is looked for to fill a page, when much of what was found is not for the caller.
const ROUNDS: usize = 4;
/// Hits that suggestions are taken from: some are not for the caller, some say the same.
const SUGGESTED_HITS: usize = 30;

/// What the handler uses.
pub struct Ports<F> {
    pub index: F,
    pub visible: Visible,
    pub cipher: LazyTokenCipher,
}

/// Answers one request; a failure is an answer, too.
pub async fn handle<F: Find>(ports: &Ports<F>, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    respond(request, answer(ports, request).await)
}

async fn answer<F: Find>(
    ports: &Ports<F>,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    let caller = caller(request)?;
    match Request::parse(request)? {
        Request::Search(wanted) => Ok(json(&search(ports, caller, &wanted).await?)),
        Request::Suggestions(query) => Ok(json(&suggest(ports, caller, &query).await?)),
    }
}

async fn search<F: Find>(ports: &Ports<F>, caller: &str, wanted: &Wanted) -> Result<SearchResults, HandlerError> {
    let mut place = match &wanted.cursor {
        // Before anything is read: a cursor of somebody else's costs nothing.
        Some(cursor) => Some(cursor::decrypt(ports.cipher.get().await?, caller, wanted, cursor)?),
        None => None,
    };
    let (found, is_last) = page(ports, caller, wanted, &mut place).await?;
    let names = ports.visible.names(found.iter().flat_map(|(_, seen)| seen.mentions())).await?;
    let item = |(hit, seen): (Hit, Seen)| result(hit.id, seen, hit.marked.as_deref(), &names);
    let next = match place.filter(|_| !is_last) {
        Some(place) => Some(cursor::encrypt(ports.cipher.get().await?, caller, wanted, &place)?),
        None => None,
    };
    Ok(SearchResults { items: found.into_iter().map(item).collect(), next })
}

/// What `caller` sees of what is found after `place`, which moves on; and whether that is all.
async fn page<F: Find>(
    ports: &Ports<F>,
    caller: &str,
    wanted: &Wanted,
    place: &mut Option<SortKey>,
) -> Result<(Vec<(Hit, Seen)>, bool), Failure> {
    let query = wanted.query.as_ref().map(|query| (Compare::Words, query));
    let search = Search { query, kind: wanted.kind, tag: wanted.tag.as_deref() };
    let mut shown = Vec::with_capacity(wanted.limit);
    for _ in 0..ROUNDS {
        // One more: it tells whether there is a next page.
        let size = wanted.limit + 1;
        let found = ports.index.find(search, caller, place.as_ref(), size).await?;
        let mut seen = ports.visible.of(caller, &found.hits).await?;
        for hit in found.hits {
            let seen = seen.remove(&hit.id);
            let Some(seen) = seen.filter(|seen| wanted.tag.as_ref().is_none_or(|tag| seen.is_tagged(tag))) else {
                *place = Some(hit.place);
                continue;
            };
            if shown.len() == wanted.limit {
                return Ok((shown, false));
            }
            *place = Some(hit.place.clone());
            shown.push((hit, seen));
        }
        if found.is_last {
            return Ok((shown, true));
        }
    }
    Ok((shown, false))
}

async fn suggest<F: Find>(ports: &Ports<F>, caller: &str, query: &Query) -> Result<Suggestions, Failure> {
    let search = Search { query: Some((Compare::Beginnings, query)), kind: None, tag: None };
    let found = ports.index.find(search, caller, None, SUGGESTED_HITS).await?;
    let mut seen = ports.visible.of(caller, &found.hits).await?;
    let suggestions = found.hits.into_iter().filter_map(|hit| Some(suggestion(hit.id.clone(), seen.remove(&hit.id)?)));
    // Two stories of one title are one way to go on; two persons of one name are two.
    let mut titles = HashSet::new();
    let is_new = |suggestion: &Suggestion| suggestion.kind != Kind::Story || titles.insert(suggestion.text.clone());
    Ok(Suggestions { items: suggestions.filter(is_new).take(MAX_SUGGESTIONS).collect() })
}

#[cfg(test)]
mod tests;
