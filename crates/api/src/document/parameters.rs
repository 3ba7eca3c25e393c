//! Parameters in paths, queries and headers.

use domain::{
    media::{Kind, MediaId, Post},
    search::{self, MAX_QUERY_CHARACTERS},
};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{examples, reference::reference};
use crate::{
    DEFAULT_LIMIT, DEFAULT_NOTIFICATIONS, DEFAULT_SEARCH_LIMIT, ListOrder, MAX_IDEMPOTENCY_KEY_CHARACTERS, MAX_LIMIT,
    MAX_NOTIFICATIONS, MAX_OWNER_CHARACTERS, MAX_SEARCH_LIMIT, MAX_TAG_CHARACTERS, MediaField,
};

/// The components for parameters.
pub fn all() -> Value {
    json!({
        "MediaId": path("Id of the item.", schema_of::<MediaId>(), examples::MEDIA_ID),
        "UploadId": path(
            "Id of the upload.",
            json!({"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"}),
            examples::UPLOAD_ID,
        ),
        // Without an example, because a handle is valid for one caller only.
        "UploadHandle": {
            "name": "handle",
            "in": "path",
            "required": true,
            "description": "`handle` of the upload.",
            "schema": {"type": "string", "format": "upload-handle"},
        },
        "DeviceId": path(
            "Id of the device, chosen by the app, for example a UUID.",
            json!({"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"}),
            examples::DEVICE_ID,
        ),
        "ExportId": path(
            "Id of the export.",
            json!({"type": "string", "pattern": "^[0-9a-f]{32}$"}),
            examples::EXPORT_ID,
        ),
        "Fields": {
            "name": "fields",
            "in": "query",
            "description": "Fields of each item beside the required ones, separated by commas. Absent or empty: all fields.",
            "schema": {"type": "array", "items": schema_of::<MediaField>()},
            "style": "form",
            "explode": false,
            "example": ["state", "variants"],
        },
        "Owner": query(
            "owner",
            "`sub` of the owner's account. Absent: the caller.",
            json!({"type": "string", "minLength": 1, "maxLength": MAX_OWNER_CHARACTERS}),
            examples::OWNER,
        ),
        // Some tools send all examples together, so only one of these two has one.
        "Kind": {
            "name": "kind",
            "in": "query",
            "description": "Only items of this kind. Not together with `post`.",
            "schema": schema_of::<Kind>(),
        },
        "Post": query("post", "Only items of this story. Not together with `kind`.", schema_of::<Post>(), "story-1"),
        "Order": query("order", "Order of the list. Absent: `newest`.", schema_of::<ListOrder>(), "newest"),
        "Limit": limit(MAX_LIMIT, DEFAULT_LIMIT),
        // Without an example, because a cursor is valid for one caller only.
        "Cursor": {
            "name": "cursor",
            "in": "query",
            "description": "`next` of the previous page, of the same caller and the same `owner`, `kind`, `post` and \
                `order`.",
            "schema": {"type": "string", "format": "cursor"},
        },
        "SearchQuery": search_words("Words to find: not only white space and control characters. Optional with `tag`."),
        "SuggestionQuery": required(search_words("Beginning of a query: not only white space and control characters.")),
        "SearchKind": query("kind", "Only results of this kind.", schema_of::<search::Kind>(), "story"),
        // Without an example: some tools send all examples together, and only stories have tags.
        "SearchTag": {
            "name": "tag",
            "in": "query",
            "description": "Only stories with this tag, by its id.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_TAG_CHARACTERS},
        },
        "SearchLimit": limit(MAX_SEARCH_LIMIT, DEFAULT_SEARCH_LIMIT),
        // Without an example, like `Cursor`.
        "SearchCursor": {
            "name": "cursor",
            "in": "query",
            "description": "`next` of the previous page, of the same caller and the same `q`, `kind` and `tag`.",
            "schema": {"type": "string", "format": "cursor"},
        },
        "NotificationLimit": limit(MAX_NOTIFICATIONS, DEFAULT_NOTIFICATIONS),
        "NotificationCursor": {
            "name": "cursor",
            "in": "query",
            "description": "`next` of the previous page, of the same caller.",
            "schema": {"type": "string", "format": "cursor"},
        },
        "IfNoneMatch": header(
            "If-None-Match",
            "`ETag` of the client's cached response.",
            json!({"type": "string"}),
            "W/\"mF_9fP4dO2lR9yXvSgZw7Q\"",
        ),
        "IdempotencyKey": header(
            "Idempotency-Key",
            "Key of the upload, so that the request can be repeated: the same key always means the same upload. \
                Printable ASCII without spaces, for example a UUID.",
            json!({"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_CHARACTERS, "pattern": "^[!-~]+$"}),
            "5f1c6b0e-6f0a-4a44-9d3c-2f8f6a1d7b11",
        ),
    })
}

fn schema_of<T: ToSchema>() -> Value {
    reference("schemas", &T::name())
}

fn path(description: &str, schema: Value, example: &str) -> Value {
    json!({"name": "id", "in": "path", "required": true, "description": description, "schema": schema, "example": example})
}

fn query(name: &str, description: &str, schema: Value, example: impl Into<Value>) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema, "example": example.into()})
}

fn search_words(description: &str) -> Value {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": MAX_QUERY_CHARACTERS, "format": "search-query"});
    query("q", description, schema, "서울")
}

fn limit(max: usize, default: usize) -> Value {
    let schema = json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": max, "default": default});
    query("limit", "Most items on the page.", schema, default)
}

fn required(mut parameter: Value) -> Value {
    parameter["required"] = true.into();
    parameter
}

fn header(name: &str, description: &str, schema: Value, example: &str) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": schema, "example": example})
}
