use utoipa::ToSchema;

use super::operation::{Operation, Response};
use crate::{AccountErasure, AccountExport};

/// Operations on the caller's account.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation {
            route: "DELETE /v1/me",
            id: "eraseAccount",
            tag: "account",
            summary: "Erase the caller's account",
            description: "Erases everything that is stored about the caller, and the account. It cannot be undone. The caller \
                must have signed in within the last ten minutes. They are signed out on all devices, and cannot sign in again. \
                The request may be repeated.",
            responses: vec![Response::uncached(202, "The erasure has begun.", AccountErasure::name().into())],
            problems: &[400],
            ..Operation::default()
        },
        Operation {
            route: "GET /v1/me/erasure",
            id: "getErasure",
            tag: "account",
            summary: "Get the progress of the erasure",
            description: "Returns 404 if the caller has not asked for it. The access token works until it expires, an hour after \
                it was issued; what was stored with it meanwhile is erased afterwards.",
            responses: vec![Response::uncached(200, "The progress.", AccountErasure::name().into())],
            problems: &[400, 404],
            ..Operation::default()
        },
        Operation {
            route: "POST /v1/me/exports",
            id: "exportAccount",
            tag: "account",
            summary: "Ask for a copy of everything about the caller",
            description: "Makes a zip file with all originals of the caller, and `data.json` with everything else that is \
                stored about them. It takes minutes, for many gigabytes hours; a notification says when it is ready. While one \
                is being made, the request returns it. A new export replaces the one before. The caller must have signed in \
                within the last ten minutes. 429 with `Retry-After` after too many in a day (in UTC); 409 while the account \
                is being erased.",
            responses: vec![Response::uncached(202, "The export is being made.", AccountExport::name().into())],
            problems: &[400, 409],
            ..Operation::default()
        },
        Operation {
            route: "GET /v1/me/exports/{id}",
            id: "getExport",
            tag: "account",
            summary: "Get the state of an export, and the link to its file",
            description: "An export that is ready can be downloaded for a day. Each response has a new link. A link may expire \
                before the file does, but a download that has begun continues. Resume with `Range`.",
            parameters: &["ExportId"],
            responses: vec![Response::uncached(200, "The export.", AccountExport::name().into())],
            problems: &[400, 404],
            ..Operation::default()
        },
    ]
}
