use domain::{
    media::{FileName, Kind, MediaId, Post, Reason, Visibility},
    user_report::ReportReason,
};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::sound::{Loudness, Rendition, Silence, Waveform};

/// Default number of items on a page.
pub const DEFAULT_LIMIT: usize = 20;
/// Most items on a page.
pub const MAX_LIMIT: usize = 100;
/// Most ids in a batch.
pub const MAX_BATCH: usize = 100;
/// Longest owner in characters. A character has at most 4 bytes, and a key of the table at most 2,048.
pub const MAX_OWNER_CHARACTERS: usize = 256;

/// A media item, as the caller may see it. With the parameter `fields`, it has the required and the requested fields
/// only. The original itself cannot be downloaded.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaItem {
    /// Id of the item.
    pub id: MediaId,
    /// Kind of the item.
    pub kind: Kind,
    /// `sub` of the owner's account.
    pub owner: String,
    /// Time of the upload: RFC 3339 in UTC, with milliseconds. All times have the same length, so they
    /// sort as text.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub uploaded_at: String,
    /// Declared content type of the original. Absent if unknown.
    pub content_type: Option<String>,
    /// Content type of the original by its content, which may differ from the declared one. Absent before the item is
    /// `ready`, or if unknown.
    pub detected_type: Option<String>,
    /// Size of the original in bytes.
    pub bytes: u64,
    /// Audience of the item.
    pub visibility: Visibility,
    /// Id of the story that the item belongs to. Absent if there is none.
    pub post: Option<Post>,
    /// Original name of the file. Present for the owner only, if the upload declared one.
    pub file_name: Option<FileName>,
    /// State of processing.
    pub state: MediaState,
    /// Reason of the failure. Present when `failed`.
    pub reason: Option<Reason>,
    /// Reason for which operators took the item down. Present when `taken_down`.
    pub taken_down_for: Option<ReportReason>,
    /// Width of the oriented original in pixels. Present when a picture is `ready`.
    pub width: Option<u32>,
    /// Height of the oriented original in pixels. Present when a picture is `ready`.
    pub height: Option<u32>,
    /// Placeholder to display while a variant loads. Present when a picture is `ready`.
    pub placeholder: Option<Placeholder>,
    /// Files to display, the largest first. Present when a picture is `ready`.
    pub variants: Option<Vec<MediaVariant>>,
    /// Duration in milliseconds, measured by decoding. Present when a recording is `ready`.
    pub duration_ms: Option<u64>,
    /// Codec of the original: `aac_lc`, `mp3`, `opus`, … Present when a recording is `ready`.
    pub codec: Option<String>,
    /// Sample rate of the original in Hz. Present when a recording is `ready`.
    #[cfg_attr(feature = "document", schema(minimum = 4_000, maximum = 192_000))]
    pub sample_rate: Option<u32>,
    /// Channels of the original; 1 is mono. Present when a recording is `ready`.
    #[cfg_attr(feature = "document", schema(minimum = 1, maximum = 8))]
    pub channels: Option<u32>,
    /// Loudness of the original. Present when a recording is `ready`.
    pub loudness: Option<Loudness>,
    /// Silent stretches. Present when a recording is `ready`.
    pub silence: Option<Silence>,
    /// Waveform to display. Present when a recording is `ready`.
    pub waveform: Option<Waveform>,
    /// Files to play. The first one plays on all platforms. Present when a recording is `ready`.
    pub renditions: Option<Vec<Rendition>>,
}

/// State of an item. New states may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum MediaState {
    /// Uploaded and being processed.
    Processing,
    /// Processed.
    Ready,
    /// Cannot be processed, permanently.
    Failed,
    /// Taken down by operators. Only the owner sees it.
    #[serde(rename = "taken_down")]
    TakenDown,
}

/// Placeholder of a picture, to display while a variant loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = PicturePlaceholder))]
pub struct Placeholder {
    /// A blurred picture of about 25 bytes: a [ThumbHash](https://evanw.github.io/thumbhash/) in base 64.
    #[cfg_attr(feature = "document", schema(content_encoding = "base64"))]
    pub thumb_hash: String,
    /// Dominant colour, `#rrggbb`.
    #[cfg_attr(feature = "document", schema(pattern = "^#[0-9a-f]{6}$"))]
    pub colour: String,
}

/// A file rendered from a picture: oriented, in sRGB, without EXIF and location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaVariant {
    /// URL of the file. It needs no access token. The URL of a `public` item never changes; others work
    /// for at least ten minutes, for anyone who has them.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// `image/webp` or `image/jpeg`.
    #[serde(rename = "type")]
    pub content_type: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaList {
    /// Items of the page. Never empty if there is a next page.
    #[cfg_attr(feature = "document", schema(max_items = 100))]
    pub items: Vec<MediaItem>,
    /// `cursor` of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(format = "cursor"))]
    pub next: Option<String>,
}

/// The items of a batch that exist and that the caller may see, in the order of the request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaBatch {
    /// Items without duplicates.
    #[cfg_attr(feature = "document", schema(max_items = 100))]
    pub items: Vec<MediaItem>,
}

/// A request for items by their ids.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaBatchRequest {
    /// Ids of the items.
    #[cfg_attr(feature = "document", schema(min_items = 1, max_items = 100))]
    pub ids: Vec<MediaId>,
    /// Fields of each item. Absent or empty: all fields.
    #[serde(default)]
    pub fields: Option<Vec<MediaField>>,
}

/// A request to change who may see an item.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct VisibilityRequest {
    /// Audience of the item from now on.
    pub visibility: Visibility,
}

/// Defines [`MediaField`] and [`MediaItem::clear`] from variants and fields of [`MediaItem`].
macro_rules! media_fields {
    ($count:literal: $($required:ident,)+ => $($variant:ident => $field:ident,)+) => {
        /// A field of a media item.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumString, IntoStaticStr)]
        #[serde(rename_all = "camelCase")]
        #[strum(serialize_all = "camelCase")]
        #[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
        #[allow(missing_docs, reason = "the fields of `MediaItem` have them")]
        pub enum MediaField {
            $($required,)+
            $($variant,)+
        }

        impl MediaField {
            /// All fields.
            pub const ALL: [Self; $count] = [$(Self::$required,)+ $(Self::$variant),+];
        }

        impl MediaItem {
            /// Removes `field` from the item, unless it is required.
            pub fn clear(&mut self, field: MediaField) {
                match field {
                    $(MediaField::$required)|+ => {}
                    $(MediaField::$variant => self.$field = None,)+
                }
            }
        }
    };
}

media_fields! {
    25:
    Id,
    Kind,
    Owner,
    UploadedAt,
    Bytes,
    Visibility,
    State,
    =>
    ContentType => content_type,
    DetectedType => detected_type,
    Post => post,
    FileName => file_name,
    Reason => reason,
    TakenDownFor => taken_down_for,
    Width => width,
    Height => height,
    Placeholder => placeholder,
    Variants => variants,
    DurationMs => duration_ms,
    Codec => codec,
    SampleRate => sample_rate,
    Channels => channels,
    Loudness => loudness,
    Silence => silence,
    Waveform => waveform,
    Renditions => renditions,
}

/// Order of a list, by the time of upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum ListOrder {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}
