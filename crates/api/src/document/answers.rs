//! What every operation may answer, and the headers of answers.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{reference, schemas::GatewayMessage};
use crate::{Problem, ProblemType};

/// Statuses of problems, and what the gateway, before any function, says with them.
const STATUSES: [(u16, &str, Option<&str>); 11] = [
    (400, "BadRequest", None),
    (401, "Unauthorized", Some("Unauthorized")),
    (403, "Forbidden", Some("Forbidden")),
    (404, "NotFound", None),
    (409, "Conflict", None),
    (410, "Gone", None),
    (413, "ContentTooLarge", Some("Request Entity Too Large")),
    (422, "UnprocessableContent", None),
    (429, "TooManyRequests", Some("Too Many Requests")),
    (500, "InternalServerError", Some("Internal Server Error")),
    (503, "ServiceUnavailable", Some("Service Unavailable")),
];

/// The name of the component for a status.
pub fn name(status: u16) -> &'static str {
    STATUSES.iter().find(|(known, ..)| *known == status).map_or("InternalServerError", |(_, name, _)| name)
}

/// The components for problems.
pub fn all() -> Value {
    STATUSES
        .iter()
        .map(|&(status, name, message)| (name.to_owned(), answer(status, message)))
        .collect::<Map<_, _>>()
        .into()
}

fn answer(status: u16, message: Option<&str>) -> Value {
    let types: Vec<_> = ProblemType::ALL.into_iter().filter(|kind| kind.status() == status).collect();
    let mut content = Map::new();
    let examples: Map<_, _> = types.iter().map(|kind| (short(*kind), json!({"value": example(*kind)}))).collect();
    let problem = json!({"schema": reference("schemas", &Problem::name()), "examples": examples});
    let gateway = message.map(|message| {
        let schema = reference("schemas", &GatewayMessage::name());
        json!({"schema": schema, "examples": {"gateway": {"value": {"message": message}}}})
    });
    // Where generators take the first: what clients meet.
    let gateway_first = matches!(status, 401 | 403);
    if let Some(gateway) = gateway.clone().filter(|_| gateway_first) {
        content.insert("application/json".into(), gateway);
    }
    if !types.is_empty() {
        content.insert("application/problem+json".into(), problem);
    }
    if let Some(gateway) = gateway.filter(|_| !gateway_first) {
        content.insert("application/json".into(), gateway);
    }
    let mut response = json!({"description": description(status, &types), "content": content});
    let headers: &[_] = match status {
        401 | 403 => &["WWW-Authenticate"],
        429 | 503 => &["Retry-After"],
        _ => &[],
    };
    response["headers"] = references(headers);
    response
}

fn description(status: u16, types: &[ProblemType]) -> String {
    let mut lines: Vec<_> = types.iter().map(|kind| format!("`{}`: {}.", urn(*kind), kind.title())).collect();
    lines.extend(match status {
        401 => Some("The gateway refuses a token that is missing, forged or expired.".to_owned()),
        403 => Some("The gateway refuses a token without the scope: an ID token.".to_owned()),
        413 => Some("The gateway itself takes 10 MB.".to_owned()),
        429 => Some("Or all clients together asked more than the gateway takes.".to_owned()),
        500 | 503 => Some("Or the gateway got no answer.".to_owned()),
        _ => None,
    });
    lines.join("\n\n")
}

/// As it stands in `type`.
pub fn urn(kind: ProblemType) -> String {
    json!(kind).as_str().unwrap_or_default().to_owned()
}

/// The last part of it.
pub fn short(kind: ProblemType) -> String {
    urn(kind).rsplit(':').next().unwrap_or_default().to_owned()
}

/// A problem of this type as clients see it.
pub fn example(kind: ProblemType) -> Problem {
    let detail = match kind {
        ProblemType::InvalidRequest => "`limit` must be a number from 1 to 100",
        ProblemType::InvalidCursor => {
            "`cursor` must be the `next` of an earlier answer to the same caller and the same query"
        }
        ProblemType::UploadIncomplete => "missing: 2, 5",
        ProblemType::TooLarge => "the body may have at most 16384 bytes",
        _ => return kind.into(),
    };
    kind.with_detail(detail)
}

/// References to the components for these headers, and for those that every function sends.
pub fn references(names: &[&str]) -> Value {
    let all = names.iter().chain(&["RateLimit-Policy", "RateLimit"]);
    all.map(|name| ((*name).to_owned(), reference("headers", name))).collect::<Map<_, _>>().into()
}

/// The components for headers.
pub fn headers() -> Value {
    let text = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    json!({
        "ETag": text("Names this state of the answer, for `If-None-Match`.", "W/\"mF_9fP4dO2lR9yXvSgZw7Q\""),
        "Cache-Control": text(
            "`private, no-cache`: may be kept, and is asked for again each time. `no-store` where there is no `ETag`.",
            "private, no-cache",
        ),
        "Vary": text("An answer is for who asked.", "Authorization"),
        "Retry-After": {
            "description": "How long to wait, in seconds.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0},
            "example": 2,
        },
        "WWW-Authenticate": text("How to show who asks (RFC 6750).", "Bearer"),
        "RateLimit-Policy": text(
            "How much a caller may ask: the quota `q` in a window of `w` seconds.",
            "\"caller\";q=200;w=4",
        ),
        "RateLimit": text("How much is left: `r` requests for the next `t` seconds.", "\"caller\";r=197;t=1"),
    })
}
