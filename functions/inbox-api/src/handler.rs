use std::num::NonZeroU32;

use api::{MAX_UNREAD, NotificationList, Problem, UnreadNotifications};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use function_kit::failure::Failure;
use jiff::Timestamp;
use rest_kit::{
    page_token::LazyTokenCipher,
    request::caller,
    response::{HandlerError, json, respond},
};
use store::{
    audience::AudienceTable,
    inbox::{InboxPage, InboxPosition, InboxTable, ReadMarks, StoredGroup},
};

use crate::{
    cursor,
    request::Request,
    unread::UnreadCount,
    view::{self, Facts},
};

/// Pages of the table that one request reads at most, when many groups are hidden.
const MAX_PAGES: usize = 4;

/// Tables and cursor key.
pub struct Ports {
    /// The table of notifications.
    pub inbox: InboxTable,
    /// The table of how far users have read.
    pub read_marks: ReadMarks,
    /// The table of names, titles and relations.
    pub audience: AudienceTable,
    /// Protects cursors.
    pub cipher: LazyTokenCipher,
}

/// What a request costs its caller's rate limit.
pub fn cost(request: &ApiGatewayV2httpRequest) -> NonZeroU32 {
    Request::cost(request)
}

/// Responds to a request, also if it fails.
pub async fn handle(ports: &Ports, now: Timestamp, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    respond(request, route(ports, now, request).await)
}

async fn route(
    ports: &Ports,
    now: Timestamp,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    let caller = caller(request)?;
    match Request::parse(request)? {
        Request::List { limit, cursor } => Ok(json(&list(ports, now, caller, limit, cursor).await?)),
        Request::Read { through } => {
            // A mark in the future would hide what is still to come.
            ports.read_marks.advance(caller, through.min(now)).await?;
            let read_through = ports.read_marks.get(caller).await?;
            Ok(json(&UnreadNotifications { unread: unread(ports, now, caller, read_through).await? }))
        }
    }
}

async fn list(
    ports: &Ports,
    now: Timestamp,
    caller: &str,
    limit: usize,
    cursor: Option<String>,
) -> Result<NotificationList, HandlerError> {
    let mut after = match &cursor {
        Some(cursor) => Some(cursor::decrypt(&*ports.cipher.get().await?, caller, cursor)?),
        None => None,
    };
    let read_through = ports.read_marks.get(caller).await?;
    let mut items = Vec::with_capacity(limit);
    let mut count = UnreadCount::default();
    for _ in 0..MAX_PAGES {
        let wanted = i32::try_from(limit - items.len()).map_err(|_| Problem::invalid_request("`limit`"))?;
        let page = ports.inbox.page(caller, after.as_ref(), wanted, now).await?;
        count.add(&page, read_through);
        let InboxPage { groups, next } = page;
        let facts = facts(&ports.audience, caller, &groups).await?;
        items.extend(groups.iter().filter_map(|stored| view::notification(caller, stored, &facts, read_through)));
        after = next;
        if after.is_none() || items.len() == limit {
            break;
        }
    }
    let next = match &after {
        Some(position) => Some(encrypt(ports, caller, position).await?),
        None => None,
    };
    let unread = match count.complete().filter(|_| cursor.is_none()) {
        Some(unread) => unread,
        None => unread(ports, now, caller, read_through).await?,
    };
    Ok(NotificationList { items, next, unread })
}

async fn encrypt(ports: &Ports, caller: &str, position: &InboxPosition) -> Result<String, Failure> {
    cursor::encrypt(&*ports.cipher.get().await?, caller, position)
}

async fn facts(audience: &AudienceTable, caller: &str, groups: &[StoredGroup]) -> Result<Facts, Failure> {
    let mut facts = Facts::default();
    facts.add(caller, audience.get(&view::rows(caller, groups)).await?);
    let rows = view::follower_rows(caller, groups, &facts);
    if !rows.is_empty() {
        facts.add(caller, audience.get(&rows).await?);
    }
    Ok(facts)
}

async fn unread(ports: &Ports, now: Timestamp, caller: &str, read_through: Option<Timestamp>) -> Result<u32, Failure> {
    ports.inbox.count_unread(caller, read_through, now, MAX_UNREAD).await
}
