use utoipa::ToSchema;

use super::{
    operation::{Operation, Response},
    schemas::OpenApiDocument,
};
use crate::{MediaBatch, MediaBatchRequest, MediaItem, MediaList, VisibilityRequest};

/// Operations on media items, and the operation that returns this document.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation {
            route: "GET /v1/media",
            id: "listMedia",
            tag: "media",
            summary: "List the items of an owner",
            description: "Returns the items of one owner that the caller may see, all or by `kind` or `post`. The list of an \
                unknown owner is empty.",
            parameters: &["Owner", "Kind", "Post", "Order", "Limit", "Cursor", "Fields", "IfNoneMatch"],
            responses: vec![cached("A page of the list.", MediaList::name().into()), Response::not_modified()],
            problems: &[400],
            ..Operation::default()
        },
        Operation {
            route: "GET /v1/media/{id}",
            id: "getMediaItem",
            tag: "media",
            summary: "Get one item",
            description: "An item exists within seconds after its upload, as `processing`. Poll it until it is `ready` or \
                `failed`.",
            parameters: &["MediaId", "Fields", "IfNoneMatch"],
            responses: vec![cached("The item.", MediaItem::name().into()), Response::not_modified()],
            problems: &[400, 404],
            ..Operation::default()
        },
        Operation {
            route: "DELETE /v1/media/{id}",
            id: "deleteMediaItem",
            tag: "media",
            summary: "Delete one of the caller's items",
            description: "Deletes the original at once, and within seconds the item and all its files, also from the CDN. \
                Returns 404 to callers who are not the owner.",
            parameters: &["MediaId"],
            responses: vec![Response::no_content("The item is being deleted.")],
            problems: &[400, 404],
            ..Operation::default()
        },
        Operation {
            route: "PUT /v1/media/{id}/visibility",
            id: "setMediaVisibility",
            tag: "media",
            summary: "Change who may see one of the caller's items",
            description: "Within seconds, the item is hidden from those who may no longer see it. It is `processing` again, \
                its files get new URLs, and the old files are deleted, also from the CDN. Nothing recalls what others have \
                fetched. Returns 404 to callers who are not the owner, and 409 if the file is replaced at the \
                same time, operators took the item down, an item that is `processing` is to be shown to more people, or the item follows its \
                story: once the graph has set the story's `visibility`, items with this `post` of the story's authors follow \
                it. The body must have at most 1 KiB.",
            parameters: &["MediaId"],
            body: Some(VisibilityRequest::name().into()),
            responses: vec![Response::no_content("The visibility is being changed, or is the same already.")],
            problems: &[400, 404, 409, 413],
            ..Operation::default()
        },
        Operation {
            route: "POST /v1/media/batch",
            id: "batchGetMedia",
            tag: "media",
            summary: "Get up to 100 items by their ids",
            description: "Items that do not exist, or that the caller may not see, are left out. The body must have at most \
                8 KiB.",
            body: Some(MediaBatchRequest::name().into()),
            responses: vec![Response::uncached(
                200,
                "The items, in the order of their ids in the request.",
                MediaBatch::name().into(),
            )],
            problems: &[400, 413],
            ..Operation::default()
        },
        Operation {
            route: "GET /v1/openapi.json",
            id: "getOpenApiDocument",
            tag: "document",
            summary: "Get this document",
            description: "Needs no access token. The response may be cached for five minutes.",
            parameters: &["IfNoneMatch"],
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
            ..Operation::default()
        },
    ]
}

fn cached(description: &'static str, schema: String) -> Response {
    Response { status: 200, description, schema: Some(schema), headers: &["ETag", "Cache-Control", "Vary"] }
}
