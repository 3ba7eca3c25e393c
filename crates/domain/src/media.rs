//! Media: what people upload, what becomes of it, and in which order news about it counts.
//!
//! ```text
//! S3 event ──▶ ObjectEvent ──▶ MediaItem (processing | deleted)
//!                  └─ a worker's Report ──▶ MediaItem (ready | failed)
//! ```
//! Every message about a media item carries all that is known at its [`Position`]; the item with
//! the highest position wins. That is why messages may arrive twice, late and out of order.

mod access;
pub(crate) mod crockford;
mod derived;
mod event;
mod id;
mod intent;
mod item;
mod key;
mod position;
mod report;
mod sound;

pub use access::Relation;
pub use derived::{
    CleanupScope, derived_key, derived_prefix, generation_prefix, invalidation_marker_key, is_open, sound_key, swept,
};
pub use event::{Notification, NotificationError, ObjectChange, ObjectEvent};
pub use id::{InvalidMediaId, MediaId};
pub use intent::{Declared, FileName, Intent, InvalidFileName, InvalidPost, Post, Visibility};
pub use item::{MediaItem, State, TOMBSTONE_DAYS, Upload};
pub use key::{Kind, OriginalKey, UnknownKey};
pub use position::{InvalidPosition, InvalidSequencer, Position, Sequencer, Stage};
pub use report::{Derived, Message, Original, Outcome, Picture, Reason, Report, Variant};
pub use sound::{File, Loudness, MAX_PAUSES, Pause, Rendition, Silence, Sound, Waveform};
