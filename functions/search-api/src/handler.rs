use std::collections::HashSet;

use api::{MAX_SUGGESTIONS, SearchResults, Suggestion, Suggestions};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::search::{Kind, Query};
use function_kit::failure::Failure;
use opensearch::{Hit, MatchMode, Search, SortKey, Viewer};
use rest_kit::{
    page_token::LazyTokenCipher,
    request::caller,
    response::{HandlerError, json, respond},
};

use crate::{
    cursor,
    request::{Request, SearchRequest},
    response::{result, suggestion},
    search_index::SearchIndex,
    visibility_filter::{VisibilityFilter, VisibleHit},
};

/// Maximum number of index pages per request. The query leaves out what the caller may not see, so the filter removes only
/// hits that the index has not caught up with.
const MAX_INDEX_PAGES: usize = 4;
/// Number of hits for suggestions: more than needed, because some are duplicates.
const SUGGESTION_HITS: usize = 30;

/// Index, tables and cursor key.
pub struct Ports<I> {
    pub index: I,
    pub visibility: VisibilityFilter,
    pub cipher: LazyTokenCipher,
}

/// Page of visible hits.
struct VisiblePage {
    hits: Vec<(Hit, VisibleHit)>,
    /// Position after which the next page starts. `None` after the last page.
    next: Option<SortKey>,
}

/// Responds to a request, also if it fails.
pub async fn handle<I: SearchIndex>(ports: &Ports<I>, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    respond(request, route(ports, request).await)
}

async fn route<I: SearchIndex>(
    ports: &Ports<I>,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    let caller = caller(request)?;
    match Request::parse(request)? {
        Request::Search(request) => Ok(json(&search(ports, caller, &request).await?)),
        Request::Suggestions(query) => Ok(json(&suggest(ports, caller, &query).await?)),
    }
}

async fn search<I: SearchIndex>(
    ports: &Ports<I>,
    caller: &str,
    request: &SearchRequest,
) -> Result<SearchResults, HandlerError> {
    let after = match &request.cursor {
        Some(cursor) => Some(cursor::decrypt(&*ports.cipher.get().await?, caller, request, cursor)?),
        None => None,
    };
    let followed = ports.visibility.follows.followed(caller).await?;
    let page = page(ports, Viewer { caller, followed: &followed }, request, after).await?;
    let names = ports.visibility.names(page.hits.iter().flat_map(|(_, visible)| visible.referenced_ids())).await?;
    let next = match page.next {
        Some(sort_key) => Some(cursor::encrypt(&*ports.cipher.get().await?, caller, request, &sort_key)?),
        None => None,
    };
    let item = |(hit, visible): (Hit, VisibleHit)| result(hit.id, visible, hit.highlight.as_deref(), &names);
    Ok(SearchResults { items: page.hits.into_iter().map(item).collect(), next })
}

/// Reads index pages from `after` on until the page of visible hits is full.
async fn page<I: SearchIndex>(
    ports: &Ports<I>,
    viewer: Viewer<'_>,
    request: &SearchRequest,
    mut after: Option<SortKey>,
) -> Result<VisiblePage, Failure> {
    let query = request.query.as_ref().map(|query| (MatchMode::Words, query));
    let search = Search { query, kind: request.kind, tag: request.tag.as_deref() };
    let mut hits = Vec::with_capacity(request.limit);
    for _ in 0..MAX_INDEX_PAGES {
        // One more than the limit, to know whether a page follows.
        let found = ports.index.search(search, viewer, after.as_ref(), request.limit + 1).await?;
        let mut visible = ports.visibility.visible(viewer.caller, &found.hits).await?;
        for hit in found.hits {
            let visible = visible.remove(&hit.id);
            let Some(visible) = visible.filter(|hit| request.tag.as_ref().is_none_or(|tag| hit.has_tag(tag))) else {
                after = Some(hit.sort_key);
                continue;
            };
            if hits.len() == request.limit {
                return Ok(VisiblePage { hits, next: after });
            }
            after = Some(hit.sort_key.clone());
            hits.push((hit, visible));
        }
        if found.is_last {
            return Ok(VisiblePage { hits, next: None });
        }
    }
    Ok(VisiblePage { hits, next: after })
}

async fn suggest<I: SearchIndex>(ports: &Ports<I>, caller: &str, query: &Query) -> Result<Suggestions, Failure> {
    let search = Search { query: Some((MatchMode::Prefixes, query)), kind: None, tag: None };
    let followed = ports.visibility.follows.followed(caller).await?;
    let found = ports.index.search(search, Viewer { caller, followed: &followed }, None, SUGGESTION_HITS).await?;
    let mut visible = ports.visibility.visible(caller, &found.hits).await?;
    let suggestions =
        found.hits.into_iter().filter_map(|hit| Some(suggestion(hit.id.clone(), visible.remove(&hit.id)?)));
    // Stories with the same title are one suggestion. People with the same name are different people.
    let mut titles = HashSet::new();
    let is_new = |suggestion: &Suggestion| suggestion.kind != Kind::Story || titles.insert(suggestion.text.clone());
    Ok(Suggestions { items: suggestions.filter(is_new).take(MAX_SUGGESTIONS).collect() })
}
