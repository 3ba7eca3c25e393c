#![doc = include_str!("../README.md")]

mod account;
#[cfg(feature = "document")]
mod content_type;
mod devices;
#[cfg(feature = "document")]
pub mod document;
mod inbox;
mod integer;
mod media;
mod object;
mod problem;
mod reports;
mod search;
mod sound;
mod uploads;

pub use account::{AccountErasure, AccountExport, AccountExportState, ErasureState};
pub use devices::{
    Device, DeviceList, DeviceRegistration, MAX_LANGUAGE_CHARACTERS, NotificationPreferences, QuietHours,
};
pub use inbox::{
    DEFAULT_NOTIFICATIONS, InboxNotification, MAX_ACTORS, MAX_NOTIFICATIONS, MAX_UNREAD, NotificationActor,
    NotificationList, ReadNotificationsRequest, UnreadNotifications,
};
pub use media::{
    DEFAULT_LIMIT, ListOrder, MAX_BATCH, MAX_LIMIT, MAX_OWNER_CHARACTERS, MediaBatch, MediaBatchRequest, MediaField,
    MediaItem, MediaList, MediaState, MediaVariant, Placeholder, VisibilityRequest,
};
pub use object::Object;
pub use problem::{Problem, ProblemType};
pub use reports::{ReportRequest, UserReport};
pub use search::{
    Author, DEFAULT_SEARCH_LIMIT, HighlightPart, MAX_SEARCH_LIMIT, MAX_SUGGESTIONS, MAX_TAG_CHARACTERS, SearchResult,
    SearchResults, Suggestion, Suggestions, Tag,
};
pub use sound::{Loudness, Pause, Rendition, Silence, Waveform, WaveformFile};
pub use uploads::{
    CompleteUploadRequest, LandedPart, MAX_IDEMPOTENCY_KEY_CHARACTERS, MAX_PARTS, SignPartsRequest, SignedHeaders,
    SignedPart, SignedParts, Upload, UploadPart, UploadRequest, UploadWay,
};
