//! Uploads: accepted files, upload ids, checksums and parts.
//!
//! ```text
//! Declaration ──▶ key, headers ──▶ signed ──▶ PUT ──▶ S3 checks type, length, checksum, once only
//!           └─ above MAX_SINGLE_REQUEST_BYTES: Parts, each signed for its length and checksum
//! ```

mod budget;
mod checksum;
mod declaration;
mod id;
mod parts;

pub use budget::{Budget, LANE_METADATA, Lane, PendingUpload, day, seconds_to_next_day};
pub use checksum::{Checksum, InvalidChecksum};
pub use declaration::{
    Declaration, FINGERPRINT_METADATA, InvalidDeclaration, MAX_SINGLE_REQUEST_BYTES, content_types, max_bytes,
};
pub use id::{InvalidUploadId, UploadId};
pub use parts::{PART_BYTES, Parts, SMALL_PART_BYTES};
