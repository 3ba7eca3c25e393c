//! Uploads: what may be uploaded, where it goes, and what S3 is to hold the uploader to.
//!
//! ```text
//! Declaration ──▶ key, headers ──▶ signed ──▶ PUT ──▶ S3 checks type, length, checksum, once only
//!           └─ beyond SINGLE_BYTES: Parts, each of them signed for its length and checksum
//! ```

mod checksum;
mod declaration;
mod id;
mod parts;

pub use checksum::{Checksum, InvalidChecksum};
pub use declaration::{
    Declaration, FINGERPRINT_METADATA, InvalidDeclaration, MAX_SINGLE_REQUEST_BYTES, content_types, max_bytes,
};
pub use id::{InvalidUploadId, UploadId};
pub use parts::{PART_BYTES, Parts};
