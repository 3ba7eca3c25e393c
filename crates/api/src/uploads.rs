use std::collections::BTreeMap;

use domain::{
    media::{FileName, Kind, MediaId, Post, Visibility},
    upload::Checksum,
};
use serde::{Deserialize, Serialize};

use crate::{
    integer::integer,
    object::{objects, present},
};

/// The longest idempotency key.
pub const MAX_IDEMPOTENCY_KEY_CHARACTERS: usize = 255;
/// Parts of the largest upload.
pub const MAX_PARTS: usize = 128;

/// A file that is about to be uploaded. S3 holds the upload to all of this.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct UploadRequest {
    /// What it is for.
    pub kind: Kind,
    /// Its type.
    #[cfg_attr(feature = "document", schema(value_type = crate::document::ContentType))]
    pub content_type: String,
    /// In bytes: at most 25 MiB for `avatar` and `photo`, 2 GiB for `audio`.
    #[serde(deserialize_with = "integer")]
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 2_147_483_648_u64))]
    pub size: u64,
    /// Of the whole file.
    pub checksum: Checksum,
    /// What the file is called, for its owner's eyes only.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub file_name: Option<FileName>,
    /// The story that it belongs to.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub post: Option<Post>,
    /// Who may see it.
    #[serde(default)]
    #[cfg_attr(feature = "document", schema(default = json!("public")))]
    pub visibility: Visibility,
}

/// Parts that are about to be uploaded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SignPartsRequest {
    /// The upload's.
    #[cfg_attr(feature = "document", schema(format = "upload-handle"))]
    pub handle: String,
    /// Each part once at most.
    #[serde(deserialize_with = "objects")]
    #[cfg_attr(feature = "document", schema(min_items = 1, max_items = 128))]
    pub parts: Vec<UploadPart>,
}

/// A part that is about to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct UploadPart {
    /// Which part, counted from 1 to the upload's `parts`.
    #[serde(deserialize_with = "integer")]
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 128))]
    pub number: u64,
    /// Of this part.
    pub checksum: Checksum,
}

/// An upload of which all parts have been sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct CompleteUploadRequest {
    /// The upload's.
    #[cfg_attr(feature = "document", schema(format = "upload-handle"))]
    pub handle: String,
}

/// An upload, and what is left to do for it: that is what `way` says, and with it which fields there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Upload {
    /// Names the upload among those of its uploader: 26 characters of Crockford's base 32.
    #[cfg_attr(feature = "document", schema(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    pub id: String,
    /// The item that it becomes: ask for it to see when it is `ready`.
    pub media_id: MediaId,
    /// What is left to do.
    pub way: UploadWay,
    /// With `put`: the method of the request to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, value_type = String))]
    pub method: Option<&'static str>,
    /// With `put`: where to send it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, format = "uri"))]
    pub url: Option<String>,
    /// With `put`: its headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub headers: Option<SignedHeaders>,
    /// With `put`: until when the request may be sent, 15 minutes at most. RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, format = DateTime))]
    pub expires_at: Option<String>,
    /// With `parts`: to be given back with each step. Opaque, and of use to the uploader only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, format = "upload-handle"))]
    pub handle: Option<String>,
    /// With `parts`: the size of every part but the last, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub part_size: Option<u64>,
    /// With `parts`: how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, minimum = 2, maximum = 128))]
    pub parts: Option<u64>,
}

/// What the uploader has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum UploadWay {
    /// Send the file with one request.
    Put,
    /// Have parts signed, send them, and say when all are there.
    Parts,
    /// Nothing: the file is there.
    Done,
}

/// Headers to be sent exactly as they stand here: S3 refuses the request otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SignedHeaders(pub BTreeMap<String, String>);

/// Parts that may be sent now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SignedParts {
    /// In the order in which they were asked for.
    pub parts: Vec<SignedPart>,
}

/// A request that sends one part. S3 takes it exactly as it stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SignedPart {
    /// Which part, counted from 1.
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 128))]
    pub number: u64,
    /// The method of the request to send.
    #[cfg_attr(feature = "document", schema(value_type = String))]
    pub method: &'static str,
    /// Where to send it.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: String,
    /// Its headers.
    pub headers: SignedHeaders,
    /// Until when it may be sent, 15 minutes at most. RFC 3339 in UTC.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub expires_at: String,
}
