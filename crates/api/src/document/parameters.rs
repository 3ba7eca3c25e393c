//! Parameters in paths, queries and headers.

use domain::{
    media::{Kind, MediaId, Post},
    search::{self, MAX_QUERY_CHARACTERS},
};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{examples, reference};
use crate::{
    DEFAULT_LIMIT, DEFAULT_SEARCH_LIMIT, ListOrder, MAX_IDEMPOTENCY_KEY_CHARACTERS, MAX_LIMIT, MAX_OWNER_CHARACTERS,
    MAX_SEARCH_LIMIT, MAX_TAG_CHARACTERS, MediaField,
};

/// The components for parameters.
pub fn all() -> Value {
    json!({
        "MediaId": path("The item.", of::<MediaId>(), examples::MEDIA_ID),
        "UploadId": path(
            "The upload.",
            json!({"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"}),
            examples::UPLOAD_ID,
        ),
        "DeviceId": path(
            "The device, as the app calls it: a UUID, for example.",
            json!({"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"}),
            examples::DEVICE_ID,
        ),
        "Fields": {
            "name": "fields",
            "in": "query",
            "description": "Which fields of each item are wanted, with commas between them; `id` always comes. \
                Everything, if absent.",
            "schema": {"type": "array", "minItems": 1, "items": of::<MediaField>()},
            "style": "form",
            "explode": false,
            "example": ["state", "variants"],
        },
        "Owner": query(
            "owner",
            "Whose items: the `sub` of an account. The caller's own, if absent.",
            json!({"type": "string", "minLength": 1, "maxLength": MAX_OWNER_CHARACTERS}),
            examples::OWNER,
        ),
        // Tools send all examples together: of these two, only one may have some.
        "Kind": {
            "name": "kind",
            "in": "query",
            "description": "Only items of this kind. Not together with `post`.",
            "schema": of::<Kind>(),
        },
        "Post": query("post", "Only items of this story. Not together with `kind`.", of::<Post>(), "story-1"),
        "Order": query("order", "`newest` first, if absent.", of::<ListOrder>(), "newest"),
        "Limit": limit(MAX_LIMIT, DEFAULT_LIMIT),
        // Without an example: no cursor is anybody's but the caller's who got it.
        "Cursor": {
            "name": "cursor",
            "in": "query",
            "description": "The `next` of the page before, to the same caller, with the same `owner`, `kind`, `post` \
                and `order`.",
            "schema": {"type": "string", "format": "cursor"},
        },
        "SearchQuery": words("What to look for: not only characters that control or fill. May be left out if `tag` is there."),
        "SuggestionQuery": required(words("What was typed so far: not only characters that control or fill.")),
        "SearchKind": query("kind", "Only what is of this kind.", of::<search::Kind>(), "story"),
        // Without an example: tools send all examples together, and a tag has stories only.
        "SearchTag": {
            "name": "tag",
            "in": "query",
            "description": "Only stories with the tag of this id.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_TAG_CHARACTERS},
        },
        "SearchLimit": limit(MAX_SEARCH_LIMIT, DEFAULT_SEARCH_LIMIT),
        // As above.
        "SearchCursor": {
            "name": "cursor",
            "in": "query",
            "description": "The `next` of the page before, to the same caller, with the same `q`, `kind` and `tag`.",
            "schema": {"type": "string", "format": "cursor"},
        },
        "IfNoneMatch": header(
            "If-None-Match",
            "The `ETag` of the answer that the client has.",
            json!({"type": "string"}),
            "W/\"mF_9fP4dO2lR9yXvSgZw7Q\"",
        ),
        "IdempotencyKey": header(
            "Idempotency-Key",
            "Names the upload, so that the request can be repeated: the same key means the same upload, whenever and \
                however often it is used. Printable ASCII without spaces; a UUID, for example.",
            json!({"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_CHARACTERS, "pattern": "^[!-~]+$"}),
            "5f1c6b0e-6f0a-4a44-9d3c-2f8f6a1d7b11",
        ),
    })
}

fn of<T: ToSchema>() -> Value {
    reference("schemas", &T::name())
}

fn path(description: &str, schema: Value, example: &str) -> Value {
    json!({"name": "id", "in": "path", "required": true, "description": description, "schema": schema, "example": example})
}

fn query(name: &str, description: &str, schema: Value, example: impl Into<Value>) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema, "example": example.into()})
}

fn words(description: &str) -> Value {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": MAX_QUERY_CHARACTERS, "format": "search-query"});
    query("q", description, schema, "서울")
}

fn limit(max: usize, default: usize) -> Value {
    let schema = json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": max, "default": default});
    query("limit", "Items on the page at most.", schema, default)
}

fn required(mut parameter: Value) -> Value {
    parameter["required"] = true.into();
    parameter
}

fn header(name: &str, description: &str, schema: Value, example: &str) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": schema, "example": example})
}
