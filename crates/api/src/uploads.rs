use std::collections::BTreeMap;

use domain::{
    media::{FileName, Kind, MediaId, Post, Visibility},
    upload::Checksum,
};
use serde::{Deserialize, Serialize};

use crate::{
    integer::integer,
    object::{objects, or_default},
};

/// Longest idempotency key in characters.
pub const MAX_IDEMPOTENCY_KEY_CHARACTERS: usize = 255;
/// Number of parts of the largest upload.
pub const MAX_PARTS: usize = 128;

/// Declaration of a file to be uploaded. S3 rejects an upload that differs from it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct UploadRequest {
    /// Kind of the item.
    pub kind: Kind,
    /// Content type of the file.
    #[cfg_attr(feature = "document", schema(value_type = crate::content_type::ContentType))]
    pub content_type: String,
    /// Size of the file in bytes: at most 96 MiB for `avatar` and `photo`, 2 GiB for `audio`.
    #[serde(deserialize_with = "integer")]
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 2_147_483_648_u64))]
    pub size: u64,
    /// Checksum of the whole file.
    pub checksum: Checksum,
    /// Name of the file. Only the owner sees it.
    #[serde(default)]
    pub file_name: Option<FileName>,
    /// Id of the story that the item belongs to.
    #[serde(default)]
    pub post: Option<Post>,
    /// Audience of the item. `PUT /v1/media/{id}/visibility` changes it.
    pub visibility: Visibility,
    /// Whether to send the file in parts, so that an interrupted upload can be resumed. Files with more than 96 MiB are
    /// always sent in parts.
    #[serde(default, deserialize_with = "or_default")]
    #[cfg_attr(feature = "document", schema(default = json!(false)))]
    pub in_parts: bool,
}

/// A request to sign parts of an upload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SignPartsRequest {
    /// `handle` of the upload.
    #[cfg_attr(feature = "document", schema(format = "upload-handle"))]
    pub handle: String,
    /// Parts without duplicates.
    #[serde(deserialize_with = "objects")]
    #[cfg_attr(feature = "document", schema(min_items = 1, max_items = 128))]
    pub parts: Vec<UploadPart>,
}

/// A part to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct UploadPart {
    /// Number of the part, from 1 to the upload's `parts`.
    #[serde(deserialize_with = "integer")]
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 128))]
    pub number: u64,
    /// Checksum of the part.
    pub checksum: Checksum,
}

/// A request to complete an upload of which all parts have been sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct CompleteUploadRequest {
    /// `handle` of the upload.
    #[cfg_attr(feature = "document", schema(format = "upload-handle"))]
    pub handle: String,
}

/// An upload and its next step. `way` is the next step, and decides which fields are present.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Upload {
    /// Id of the upload, unique per user: 26 characters of Crockford's base 32.
    #[cfg_attr(feature = "document", schema(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    pub id: String,
    /// Id of the media item. Poll it until it is `ready`.
    pub media_id: MediaId,
    /// Next step.
    pub way: UploadWay,
    /// With `put`: method of the request to send.
    #[cfg_attr(feature = "document", schema(value_type = String))]
    pub method: Option<&'static str>,
    /// With `put`: URL of the request to send.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: Option<String>,
    /// With `put`: headers of the request to send.
    pub headers: Option<SignedHeaders>,
    /// With `put`: time until which the request may be sent, at most 15 minutes. RFC 3339 in UTC.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub expires_at: Option<String>,
    /// With `parts`: opaque handle to send with each further request. It is valid for the uploader only.
    #[cfg_attr(feature = "document", schema(format = "upload-handle"))]
    pub handle: Option<String>,
    /// With `parts`: size of every part but the last in bytes.
    pub part_size: Option<u64>,
    /// With `parts`: number of parts.
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 128))]
    pub parts: Option<u64>,
    /// With `parts`, in the response of `getUpload`: parts that S3 has. Send the others.
    #[cfg_attr(feature = "document", schema(max_items = 128))]
    pub landed: Option<Vec<LandedPart>>,
}

/// A part that S3 has.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct LandedPart {
    /// Number of the part, from 1.
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 128))]
    pub number: u64,
    /// Checksum of the part. If the client's part has another one, the file has changed: start again.
    pub checksum: Option<Checksum>,
}

/// Next step of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum UploadWay {
    /// Send the file in one request.
    Put,
    /// Request signed parts, send them, then complete the upload.
    Parts,
    /// None: the file has been uploaded.
    Done,
}

/// Headers to send unchanged. S3 rejects the request otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SignedHeaders(pub BTreeMap<String, String>);

/// Signed parts of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SignedParts {
    /// Signed parts, in the order of the request.
    pub parts: Vec<SignedPart>,
}

/// A signed request that uploads one part. Send it unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SignedPart {
    /// Number of the part, from 1.
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 128))]
    pub number: u64,
    /// Method of the request.
    #[cfg_attr(feature = "document", schema(value_type = String))]
    pub method: &'static str,
    /// URL of the request.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: String,
    /// Headers of the request.
    pub headers: SignedHeaders,
    /// Time until which the request may be sent, at most 15 minutes. RFC 3339 in UTC.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub expires_at: String,
}
