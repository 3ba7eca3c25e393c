use std::collections::BTreeMap;

use domain::{
    media::MediaId,
    upload::{PART_BYTES, Parts, UploadId},
};
use serde::Serialize;

/// An upload as its uploader sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Among the uploads of this uploader.
    pub id: UploadIdText,
    /// What it becomes: `GET /v1/media/{mediaId}`.
    pub media_id: MediaId,
    #[serde(flatten)]
    pub way: Way,
}

/// An upload id as JSON.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct UploadIdText(String);

impl From<UploadId> for UploadIdText {
    fn from(id: UploadId) -> Self {
        Self(id.to_string())
    }
}

/// What the uploader has to do.
#[derive(Debug, Serialize)]
#[serde(tag = "way", rename_all = "lowercase")]
pub enum Way {
    /// Send the file with one request.
    Put(Signed),
    /// Have parts signed, send them, and say when all are there.
    Parts(Multipart),
    /// Nothing: the file is there.
    Done,
}

/// A request that S3 takes once, exactly as it stands here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signed {
    pub method: &'static str,
    pub url: String,
    /// To be sent as they are: S3 refuses the request otherwise.
    pub headers: BTreeMap<String, String>,
    /// RFC 3339 in UTC.
    pub expires_at: String,
}

/// How a large file is sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Multipart {
    /// Opaque: to be given back with each step.
    pub handle: String,
    /// Of every part but the last, in bytes.
    pub part_size: u64,
    /// How many there are.
    pub parts: u64,
}

impl Multipart {
    /// The parts of a file of `size` bytes.
    pub fn of(handle: String, size: u64) -> Self {
        Self { handle, part_size: PART_BYTES, parts: Parts::of(size).count() }
    }
}

/// Parts that may be sent now.
#[derive(Debug, Serialize)]
pub struct SignedParts {
    pub parts: Vec<SignedPart>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub struct SignedPart {
    pub number: u64,
    #[serde(flatten)]
    pub signed: Signed,
}
