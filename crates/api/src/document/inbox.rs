use utoipa::ToSchema;

use super::operation::{Operation, Response};
use crate::{NotificationList, ReadNotificationsRequest, UnreadNotifications};

/// Operations on the inbox.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation {
            route: "GET /v1/notifications",
            id: "listNotifications",
            tag: "notifications",
            summary: "List the caller's notifications",
            description: "Returns what the caller was notified of in the last 90 days, also if no phone received it. What \
                was taken back, such as a like, and what the caller may no longer see is not there.",
            parameters: &["NotificationLimit", "NotificationCursor"],
            responses: vec![Response::uncached(200, "A page of the list.", NotificationList::name().into())],
            problems: &[400],
            ..Operation::default()
        },
        Operation {
            route: "PUT /v1/notifications/read",
            id: "readNotifications",
            tag: "notifications",
            summary: "Mark notifications as read",
            description: "Marks all notifications up to a time as read, on all devices. The mark never moves back. The body \
                must have at most 1 KiB.",
            body: Some(ReadNotificationsRequest::name().into()),
            responses: vec![Response::uncached(
                200,
                "Number of notifications that are still unread.",
                UnreadNotifications::name().into(),
            )],
            problems: &[400, 413],
            ..Operation::default()
        },
    ]
}
