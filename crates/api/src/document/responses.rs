//! Error responses, and headers of all responses.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{examples, reference::reference};
use crate::{Problem, ProblemType};

/// Statuses of errors, and the gateway's own message for each.
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

/// Name of the component for a status.
pub fn name(status: u16) -> &'static str {
    STATUSES.iter().find(|(known, ..)| *known == status).map_or("InternalServerError", |(_, name, _)| name)
}

/// The components for error responses.
pub fn all() -> Value {
    STATUSES
        .iter()
        .map(|&(status, name, message)| (name.to_owned(), response(status, message)))
        .collect::<Map<_, _>>()
        .into()
}

fn response(status: u16, message: Option<&str>) -> Value {
    let types: Vec<_> = ProblemType::ALL.into_iter().filter(|kind| kind.status() == status).collect();
    let mut content = Map::new();
    let examples: Map<_, _> =
        types.iter().map(|kind| (short_name(*kind), json!({"value": examples::problem(*kind)}))).collect();
    let problem = json!({"schema": reference("schemas", &Problem::name()), "examples": examples});
    // One schema for both content types: some generators use the first one only.
    if let Some(message) = message {
        let schema = reference("schemas", &Problem::name());
        let gateway = json!({"schema": schema, "examples": {"gateway": {"value": {"message": message}}}});
        content.insert("application/json".into(), gateway);
    }
    if !types.is_empty() {
        content.insert("application/problem+json".into(), problem);
    }
    let headers: &[_] = match status {
        401 | 403 => &["WWW-Authenticate"],
        429 | 503 => &["Retry-After"],
        _ => &[],
    };
    json!({"description": description(status, &types), "content": content, "headers": header_references(headers)})
}

fn description(status: u16, types: &[ProblemType]) -> String {
    let mut lines: Vec<_> = types.iter().map(|kind| format!("`{kind}`: {}.", kind.title())).collect();
    lines.extend(match status {
        401 => Some("The gateway rejects a missing, forged or expired token.".to_owned()),
        403 => Some("The gateway rejects a token without the scope, for example an ID token.".to_owned()),
        413 => Some("The gateway's own limit is 10 MB.".to_owned()),
        429 => Some("Also sent by the gateway if all clients together exceed its limit.".to_owned()),
        500 | 503 => Some("Also sent by the gateway if it got no response.".to_owned()),
        _ => None,
    });
    lines.join("\n\n")
}

/// The last part of the value of `type`.
fn short_name(kind: ProblemType) -> String {
    kind.to_string().rsplit(':').next().unwrap_or_default().to_owned()
}

/// References to the components of these headers, and of those that every function sends.
pub fn header_references(names: &[&str]) -> Value {
    let all = names.iter().chain(&["RateLimit-Policy", "RateLimit"]);
    all.map(|name| ((*name).to_owned(), reference("headers", name))).collect::<Map<_, _>>().into()
}

/// The components for headers.
pub fn headers() -> Value {
    let text = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    json!({
        "ETag": text("Version of the response, for `If-None-Match`.", "W/\"mF_9fP4dO2lR9yXvSgZw7Q\""),
        "Cache-Control": text(
            "`private, no-cache`: may be cached, and must be revalidated. `no-store` if there is no `ETag`.",
            "private, no-cache",
        ),
        "Vary": text("The response depends on the caller.", "Authorization"),
        "Retry-After": {
            "description": "Time to wait in seconds.",
            "schema": {"type": "integer", "format": "int32", "minimum": 0},
            "example": 2,
        },
        "WWW-Authenticate": text("Required authentication (RFC 6750).", "Bearer"),
        "RateLimit-Policy": text(
            "Rate limit of a caller: the quota `q` in a window of `w` seconds. A request costs 1 for each 20 items that it may return, and at least 1.",
            "\"caller\";q=200;w=4",
        ),
        "RateLimit": text("Remaining quota: `r` for the next `t` seconds.", "\"caller\";r=197;t=1"),
    })
}
