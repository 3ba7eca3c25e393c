use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::media::MediaId;
use function_kit::{
    failure::Failure,
    http::{Problem, failed, json, problem},
};
use futures_util::future::try_join_all;
use store::media::{ListKey, MediaTable};

use crate::{
    answer::{Item, List},
    links::Links,
    request::{Request, cursor},
};

/// What the handler reads.
pub struct Ports {
    pub table: MediaTable,
    pub links: Links,
}

/// Answers one request; a failure is an answer, too.
pub async fn handle(ports: &Ports, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    let answer = match Request::parse(request) {
        Ok(Request::Item(id)) => item(ports, id).await.map(|item| match item {
            Some(item) => json(&item),
            None => problem(&Problem::not_found()),
        }),
        Ok(Request::List { owner, limit, after }) => {
            list(ports, &owner, limit, after.as_ref()).await.map(|list| json(&list))
        }
        Err(refusal) => return problem(&refusal),
    };
    answer.unwrap_or_else(|failure| failed(request, &failure))
}

async fn item(ports: &Ports, id: MediaId) -> Result<Option<Item>, Failure> {
    match ports.table.get(id).await? {
        Some(item) => Item::of(item, &ports.links).await,
        None => Ok(None),
    }
}

async fn list(ports: &Ports, owner: &str, limit: usize, after: Option<&ListKey>) -> Result<List, Failure> {
    let page = ports.table.list_by_owner(owner, limit, after).await?;
    let items = try_join_all(page.items.into_iter().map(|item| Item::of(item, &ports.links))).await?;
    Ok(List { items: items.into_iter().flatten().collect(), next: page.next.as_ref().map(cursor) })
}
