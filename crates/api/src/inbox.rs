use domain::push::Category;
use serde::{Deserialize, Serialize};

/// Default number of notifications on a page.
pub const DEFAULT_NOTIFICATIONS: usize = 20;
/// Most notifications on a page.
pub const MAX_NOTIFICATIONS: usize = 50;
/// Most actors of a notification in a response.
pub const MAX_ACTORS: usize = 3;
/// Unread notifications above this number are not counted.
pub const MAX_UNREAD: u32 = 100;

/// A page of the caller's notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct NotificationList {
    /// Notifications of the last 90 days, the latest first. A page may have fewer than `limit` items, or none, although
    /// there is a next page.
    #[cfg_attr(feature = "document", schema(max_items = 50))]
    pub items: Vec<InboxNotification>,
    /// `cursor` of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(format = "cursor"))]
    pub next: Option<String>,
    /// Number of unread notifications, for the app's badge. 100: that many or more.
    #[cfg_attr(feature = "document", schema(maximum = 100))]
    pub unread: u32,
}

/// A notification. What several persons did to the same story or comment is one notification, as on the phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct InboxNotification {
    /// Id, unique among the caller's notifications. It stays the same when further persons act.
    pub id: String,
    /// Rule that sent it, as in the push message, such as `like-story`. New rules may be added.
    pub rule: String,
    /// Subject.
    pub category: Category,
    /// The persons who acted last, the latest first. Empty if the service itself did, as for `export-ready`.
    #[cfg_attr(feature = "document", schema(max_items = 3))]
    pub actors: Vec<NotificationActor>,
    /// Number of persons who acted, those in `actors` included.
    #[cfg_attr(feature = "document", schema(minimum = 0))]
    pub actor_count: u64,
    /// Id of what the last person did it with, as in the push message: the person, or their story or comment; the export.
    pub source: String,
    /// Id of what the last person did it to: the caller, a story or a comment.
    pub target: String,
    /// Title of the story. Absent if there is no story, or it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Time of the last action: RFC 3339 in UTC, with milliseconds.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub happened_at: String,
    /// Time at which the notification was last added to, by which the list is sorted: RFC 3339 in UTC, with milliseconds.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub updated_at: String,
    /// Whether the caller has read it: `updatedAt` is not after the last `through`.
    pub is_read: bool,
}

/// Person who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct NotificationActor {
    /// `sub` of the person's account.
    pub id: String,
    /// Name of the person. Absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// How far the caller has read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct ReadNotificationsRequest {
    /// `updatedAt` of the latest notification that the caller has seen: RFC 3339. A time in the future counts as now.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub through: String,
}

/// Number of notifications that are still unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct UnreadNotifications {
    /// Number of unread notifications, for the app's badge. 100: that many or more.
    #[cfg_attr(feature = "document", schema(maximum = 100))]
    pub unread: u32,
}
