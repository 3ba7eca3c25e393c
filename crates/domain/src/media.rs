//! Media: uploads, the files made from them, and the order of their changes.
//!
//! ```text
//! S3 event ──▶ ObjectEvent ──▶ MediaItem (processing | deleted)
//!                  ├─ a worker's Report ──▶ MediaItem (ready | failed)
//!                  └─ an operator's Decision ──▶ MediaItem (taken down | processing)
//! ```
//! Every message about a media item contains all that is known at its [`Position`]. The item with the
//! latest position wins, so messages may arrive twice, late and out of order.

mod access;
pub(crate) mod crockford;
mod decision;
mod derivative_keys;
mod derivatives;
mod event;
mod id;
mod intent;
mod item;
mod key;
mod position;
mod report;
mod report_check;
mod sound;

pub use access::Relation;
pub use decision::Decision;
pub use derivative_keys::{
    CleanupScope, generation_prefix, invalidation_marker_key, is_invalidation_marker, is_public_key, item_prefix,
    keys_to_delete, sound_key, variant_key,
};
pub use derivatives::{Derivatives, Picture, Variant};
pub use event::{Notification, NotificationError, ObjectChange, ObjectEvent, ObjectVersion};
pub use id::{InvalidMediaId, MediaId};
pub use intent::{Declared, FileName, Intent, InvalidFileName, InvalidPost, Post, Visibility};
pub use item::{MediaItem, State, TOMBSTONE_DAYS, Upload};
pub use key::{Kind, OriginalKey, UnknownKey};
pub use position::{InvalidPosition, InvalidSequencer, Position, Sequencer, Stage};
pub use report::{Message, Original, Outcome, Reason, Report};
pub use report_check::{CurrentObject, ForgedReport, Worker, extensions};
pub use sound::{File, Loudness, MAX_PAUSES, Pause, Rendition, Silence, Sound, Waveform};
