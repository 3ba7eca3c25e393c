#![doc = include_str!("../README.md")]

#[cfg(feature = "document")]
mod content_type;
mod devices;
#[cfg(feature = "document")]
pub mod document;
#[cfg(feature = "document")]
mod gateway_message;
mod integer;
mod media;
mod object;
mod problem;
mod search;
mod sound;
mod uploads;

pub use devices::{
    Device, DeviceList, DeviceRegistration, MAX_LANGUAGE_CHARACTERS, NotificationPreferences, QuietHours,
};
pub use media::{
    DEFAULT_LIMIT, ListOrder, MAX_BATCH, MAX_LIMIT, MAX_OWNER_CHARACTERS, MediaBatch, MediaBatchRequest, MediaField,
    MediaItem, MediaList, MediaState, MediaVariant, Placeholder, VisibilityRequest,
};
pub use object::Object;
pub use problem::{Problem, ProblemType};
pub use search::{
    Author, DEFAULT_SEARCH_LIMIT, HighlightPart, MAX_SEARCH_LIMIT, MAX_SUGGESTIONS, MAX_TAG_CHARACTERS, SearchResult,
    SearchResults, Suggestion, Suggestions, Tag,
};
pub use sound::{Loudness, Pause, Rendition, Silence, Waveform, WaveformFile};
pub use uploads::{
    CompleteUploadRequest, MAX_IDEMPOTENCY_KEY_CHARACTERS, MAX_PARTS, SignPartsRequest, SignedHeaders, SignedPart,
    SignedParts, Upload, UploadPart, UploadRequest, UploadWay,
};
