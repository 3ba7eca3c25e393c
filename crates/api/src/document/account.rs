use utoipa::ToSchema;

use super::operation::{Operation, Response};
use crate::AccountErasure;

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
    ]
}
