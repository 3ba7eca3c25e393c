//! Response bodies.

use api::{SignedHeaders, SignedPart, Upload, UploadWay};
use domain::{
    media::MediaId,
    upload::{Parts, UploadId},
};

/// A signed request, which S3 accepts once and only unchanged.
#[derive(Debug)]
pub struct Signed {
    pub method: &'static str,
    pub url: String,
    pub headers: SignedHeaders,
    /// RFC 3339 in UTC.
    pub expires_at: String,
}

/// An upload with a single request.
pub fn put(id: UploadId, media_id: MediaId, signed: Signed) -> Upload {
    let Signed { method, url, headers, expires_at } = signed;
    Upload {
        method: Some(method),
        url: Some(url),
        headers: Some(headers),
        expires_at: Some(expires_at),
        ..upload(id, media_id, UploadWay::Put)
    }
}

/// A multipart upload of `size` bytes.
pub fn parts(id: UploadId, media_id: MediaId, handle: String, size: u64) -> Upload {
    Upload {
        handle: Some(handle),
        part_size: Some(Parts::of(size).part_bytes()),
        parts: Some(Parts::of(size).count()),
        ..upload(id, media_id, UploadWay::Parts)
    }
}

/// An upload that is complete.
pub fn done(id: UploadId, media_id: MediaId) -> Upload {
    upload(id, media_id, UploadWay::Done)
}

/// A signed request for the part `number`.
pub fn part(number: u64, signed: Signed) -> SignedPart {
    let Signed { method, url, headers, expires_at } = signed;
    SignedPart { number, method, url, headers, expires_at }
}

fn upload(id: UploadId, media_id: MediaId, way: UploadWay) -> Upload {
    Upload {
        id: id.to_string(),
        media_id,
        way,
        method: None,
        url: None,
        headers: None,
        expires_at: None,
        handle: None,
        part_size: None,
        parts: None,
        landed: None,
    }
}
