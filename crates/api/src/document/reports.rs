use utoipa::ToSchema;

use super::operation::{Operation, Response};
use crate::{ReportRequest, UserReport};

/// Operations on reports.
pub fn operations() -> Vec<Operation> {
    vec![Operation {
        route: "POST /v1/reports",
        id: "reportMediaItem",
        tag: "reports",
        summary: "Report an item to the operators",
        description: "Stores the caller's report of an item. Another report of the same item replaces it, has the same \
            `id`, and is open again if operators had closed the first. Returns 404 for an item that does not exist or that the \
            caller may not see. A person may send a number of reports a day; beyond, the response is 429 with `Retry-After`. \
            The body must have at most 16 KiB.",
        body: Some(ReportRequest::name().into()),
        responses: vec![Response::uncached(201, "The report is stored.", UserReport::name().into())],
        problems: &[400, 404, 413],
        ..Operation::default()
    }]
}
