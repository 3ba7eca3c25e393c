use utoipa::ToSchema;

use super::{
    operation::{Operation, Response},
    schemas::OpenApiDocument,
};
use crate::{MediaBatch, MediaBatchRequest, MediaItem, MediaList};

const TAG: &str = "media";

/// Operations on media items, and the operation that returns this document.
pub fn operations() -> Vec<Operation> {
    vec![list(), item(), delete(), batch(), document()]
}

fn list() -> Operation {
    Operation {
        method: "get",
        path: "/v1/media",
        id: "listMedia",
        tag: TAG,
        summary: "List the items of an owner",
        description: "Returns the items of one owner that the caller may see, all or by `kind` or `post`. The list of an \
            unknown owner is empty.",
        parameters: &["Owner", "Kind", "Post", "Order", "Limit", "Cursor", "Fields", "IfNoneMatch"],
        body: None,
        responses: vec![cached("A page of the list.", MediaList::name().into()), Response::not_modified()],
        problems: &[400],
        is_open: false,
    }
}

fn item() -> Operation {
    Operation {
        method: "get",
        path: "/v1/media/{id}",
        id: "getMediaItem",
        tag: TAG,
        summary: "Get one item",
        description: "An item exists within seconds after its upload, as `processing`. Poll it until it is `ready` or \
            `failed`.",
        parameters: &["MediaId", "Fields", "IfNoneMatch"],
        body: None,
        responses: vec![cached("The item.", MediaItem::name().into()), Response::not_modified()],
        problems: &[400, 404],
        is_open: false,
    }
}

fn delete() -> Operation {
    Operation {
        method: "delete",
        path: "/v1/media/{id}",
        id: "deleteMediaItem",
        tag: TAG,
        summary: "Delete one of the caller's items",
        description: "Deletes the original at once, and within seconds the item and all its files, also from the CDN. \
            Returns 404 to callers who are not the owner.",
        parameters: &["MediaId"],
        body: None,
        responses: vec![Response::no_content("The item is being deleted.")],
        problems: &[400, 404],
        is_open: false,
    }
}

fn batch() -> Operation {
    Operation {
        method: "post",
        path: "/v1/media/batch",
        id: "batchGetMedia",
        tag: TAG,
        summary: "Get up to 100 items by their ids",
        description: "Items that do not exist, or that the caller may not see, are left out. The body must have at most \
            8 KiB.",
        parameters: &[],
        body: Some(MediaBatchRequest::name().into()),
        responses: vec![Response::uncached(
            200,
            "The items, in the order of their ids in the request.",
            MediaBatch::name().into(),
        )],
        problems: &[400, 413],
        is_open: false,
    }
}

fn document() -> Operation {
    Operation {
        method: "get",
        path: "/v1/openapi.json",
        id: "getOpenApiDocument",
        tag: "document",
        summary: "Get this document",
        description: "Needs no access token. The response may be cached for five minutes.",
        parameters: &["IfNoneMatch"],
        body: None,
        responses: vec![
            Response {
                status: 200,
                description: "The OpenAPI document of this API.",
                schema: Some(OpenApiDocument::name().into()),
                headers: &["ETag", "Cache-Control"],
            },
            Response::not_modified(),
        ],
        problems: &[400],
        is_open: true,
    }
}

fn cached(description: &'static str, schema: String) -> Response {
    Response { status: 200, description, schema: Some(schema), headers: &["ETag", "Cache-Control", "Vary"] }
}
