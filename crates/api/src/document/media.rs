use utoipa::ToSchema;

use super::{
    operation::{Answer, Operation},
    schemas::OpenApiDocument,
};
use crate::{MediaBatch, MediaBatchRequest, MediaItem, MediaList};

const TAG: &str = "media";

/// The operations on media, and that which answers with the document.
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
        description: "Those items of one owner that the caller may see, all of them or by `kind` or by `post`. \
            Somebody who has none, and somebody who does not exist, have an empty list.",
        parameters: &["Owner", "Kind", "Post", "Order", "Limit", "Cursor", "Fields", "IfNoneMatch"],
        body: None,
        answers: vec![tagged("A page of the list.", MediaList::name().into()), Answer::not_modified()],
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
        description: "An item appears within seconds of its upload, as `processing`; ask again until it is `ready` or \
            has `failed`.",
        parameters: &["MediaId", "Fields", "IfNoneMatch"],
        body: None,
        answers: vec![tagged("The item.", MediaItem::name().into()), Answer::not_modified()],
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
        summary: "Delete one of one's own items",
        description: "The original goes at once; within seconds the item and all that was made of it follow, also from \
            the edges of the distribution. Nobody but its owner can delete an item: others get 404.",
        parameters: &["MediaId"],
        body: None,
        answers: vec![Answer::no_content("The item is being deleted.")],
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
        description: "Those that do not exist, and those that the caller may not see, are left out. The body has at \
            most 8 KiB.",
        parameters: &[],
        body: Some(MediaBatchRequest::name().into()),
        answers: vec![Answer {
            status: 200,
            description: "The items, in the order of their ids in the request.",
            schema: Some(MediaBatch::name().into()),
            headers: &["Cache-Control"],
        }],
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
        description: "For everybody, without signing in. May be kept for five minutes.",
        parameters: &["IfNoneMatch"],
        body: None,
        answers: vec![
            Answer {
                status: 200,
                description: "The OpenAPI document of this API.",
                schema: Some(OpenApiDocument::name().into()),
                headers: &["ETag", "Cache-Control"],
            },
            Answer::not_modified(),
        ],
        problems: &[400],
        is_open: true,
    }
}

fn tagged(description: &'static str, schema: String) -> Answer {
    Answer { status: 200, description, schema: Some(schema), headers: &["ETag", "Cache-Control", "Vary"] }
}
