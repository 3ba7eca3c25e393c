use domain::media::{FileName, Kind, MediaId, Post, Reason, Visibility};
use serde::{Deserialize, Serialize};

use crate::{
    object::present,
    sound::{Loudness, Rendition, Silence, Waveform},
};

/// Items on a page if the client does not say.
pub const DEFAULT_LIMIT: usize = 20;
/// Items on a page at most.
pub const MAX_LIMIT: usize = 100;
/// Ids in a batch at most.
pub const MAX_BATCH: usize = 100;
/// The longest name of an owner. Each character takes 4 bytes at most, and a key of the table 2,048.
pub const MAX_OWNER_CHARACTERS: usize = 256;

/// Something that somebody uploaded, as the caller sees it. `id` is always there. Without `fields`, so
/// are `kind`, `owner`, `uploadedAt`, `bytes`, `visibility` and `state`; with `fields`, only what it
/// names. Nothing here leads to the original.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaItem {
    /// Names the item.
    pub id: MediaId,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub kind: Option<Kind>,
    /// Whose it is: the `sub` of their account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub owner: Option<String>,
    /// When the original was stored: RFC 3339 in UTC, to the millisecond. All are of one length, so
    /// they may be sorted as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, format = DateTime))]
    pub uploaded_at: Option<String>,
    /// The type of the original, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub content_type: Option<String>,
    /// The size of the original, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub bytes: Option<u64>,
    /// Who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub visibility: Option<Visibility>,
    /// The story that it belongs to, if it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub post: Option<Post>,
    /// What the file was called, if that was said. Shown to its owner only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub file_name: Option<FileName>,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub state: Option<MediaState>,
    /// Why it cannot be shown. There when it has `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub reason: Option<Reason>,
    /// The width of the original as shown, in pixels. There when a picture is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub width: Option<u32>,
    /// The height of the original as shown, in pixels. There when a picture is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub height: Option<u32>,
    /// What to show while a variant loads. There when a picture is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub placeholder: Option<Placeholder>,
    /// Files to show, largest first. There when a picture is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub variants: Option<Vec<MediaVariant>>,
    /// The duration of a recording, in milliseconds: counted while decoding. There when a recording is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub duration_ms: Option<u64>,
    /// How the original of a recording is encoded: `aac_lc`, `mp3`, `opus`, … There when a recording is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub codec: Option<String>,
    /// The sampling rate of the original, in Hz. There when a recording is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, minimum = 4_000, maximum = 192_000))]
    pub sample_rate: Option<u32>,
    /// The channels of the original; 1 is mono. There when a recording is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, minimum = 1, maximum = 8))]
    pub channels: Option<u32>,
    /// How loud the recording is. There when a recording is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub loudness: Option<Loudness>,
    /// Where nothing is to be heard. There when a recording is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub silence: Option<Silence>,
    /// What to draw. There when a recording is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub waveform: Option<Waveform>,
    /// Files to play; the one that plays everywhere is first. There when a recording is `ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub renditions: Option<Vec<Rendition>>,
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum MediaState {
    /// It has landed and is being worked on.
    Processing,
    /// It can be shown or heard.
    Ready,
    /// It cannot be shown and never will be.
    Failed,
}

/// What to show while a variant loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Placeholder {
    /// A blurred picture of about 25 bytes: a [ThumbHash](https://evanw.github.io/thumbhash/), in base 64.
    #[cfg_attr(feature = "document", schema(content_encoding = "base64"))]
    pub thumb_hash: String,
    /// The dominant colour, `#rrggbb`.
    #[cfg_attr(feature = "document", schema(pattern = "^#[0-9a-f]{6}$"))]
    pub colour: String,
}

/// A file made of a picture: upright, in sRGB, without a trace of where it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaVariant {
    /// Where to get it, without signing in. Of a `public` item it stays the same; others work for ten
    /// minutes at least, for whoever has them.
    #[cfg_attr(feature = "document", schema(format = "uri"))]
    pub url: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// `image/webp` or `image/jpeg`.
    #[serde(rename = "type")]
    pub content_type: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaList {
    /// Never empty while more follow.
    #[cfg_attr(feature = "document", schema(max_items = 100))]
    pub items: Vec<MediaItem>,
    /// The `cursor` of the page that follows. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, format = "cursor"))]
    pub next: Option<String>,
}

/// Those items of a batch that the caller may see, in the order in which they were asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaBatch {
    /// Each once, however often it was asked for.
    #[cfg_attr(feature = "document", schema(max_items = 100))]
    pub items: Vec<MediaItem>,
}

/// Items that are asked for by their ids.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct MediaBatchRequest {
    /// Of which items.
    #[cfg_attr(feature = "document", schema(min_items = 1, max_items = 100))]
    pub ids: Vec<MediaId>,
    /// What is wanted of each; everything, if absent.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "document", schema(nullable = false, min_items = 1))]
    pub fields: Option<Vec<MediaField>>,
}

/// A field of a media item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "they are those of `MediaItem`")]
pub enum MediaField {
    Id,
    Kind,
    Owner,
    UploadedAt,
    ContentType,
    Bytes,
    Visibility,
    Post,
    FileName,
    State,
    Reason,
    Width,
    Height,
    Placeholder,
    Variants,
    DurationMs,
    Codec,
    SampleRate,
    Channels,
    Loudness,
    Silence,
    Waveform,
    Renditions,
}

impl MediaField {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::Id,
        Self::Kind,
        Self::Owner,
        Self::UploadedAt,
        Self::ContentType,
        Self::Bytes,
        Self::Visibility,
        Self::Post,
        Self::FileName,
        Self::State,
        Self::Reason,
        Self::Width,
        Self::Height,
        Self::Placeholder,
        Self::Variants,
        Self::DurationMs,
        Self::Codec,
        Self::SampleRate,
        Self::Channels,
        Self::Loudness,
        Self::Silence,
        Self::Waveform,
        Self::Renditions,
    ];

    /// As it stands in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Kind => "kind",
            Self::Owner => "owner",
            Self::UploadedAt => "uploadedAt",
            Self::ContentType => "contentType",
            Self::Bytes => "bytes",
            Self::Visibility => "visibility",
            Self::Post => "post",
            Self::FileName => "fileName",
            Self::State => "state",
            Self::Reason => "reason",
            Self::Width => "width",
            Self::Height => "height",
            Self::Placeholder => "placeholder",
            Self::Variants => "variants",
            Self::DurationMs => "durationMs",
            Self::Codec => "codec",
            Self::SampleRate => "sampleRate",
            Self::Channels => "channels",
            Self::Loudness => "loudness",
            Self::Silence => "silence",
            Self::Waveform => "waveform",
            Self::Renditions => "renditions",
        }
    }

    /// The field that [`MediaField::as_str`] calls so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

impl MediaItem {
    /// The item without `field`, unless it is its id.
    pub fn clear(&mut self, field: MediaField) {
        match field {
            MediaField::Id => {}
            MediaField::Kind => self.kind = None,
            MediaField::Owner => self.owner = None,
            MediaField::UploadedAt => self.uploaded_at = None,
            MediaField::ContentType => self.content_type = None,
            MediaField::Bytes => self.bytes = None,
            MediaField::Visibility => self.visibility = None,
            MediaField::Post => self.post = None,
            MediaField::FileName => self.file_name = None,
            MediaField::State => self.state = None,
            MediaField::Reason => self.reason = None,
            MediaField::Width => self.width = None,
            MediaField::Height => self.height = None,
            MediaField::Placeholder => self.placeholder = None,
            MediaField::Variants => self.variants = None,
            MediaField::DurationMs => self.duration_ms = None,
            MediaField::Codec => self.codec = None,
            MediaField::SampleRate => self.sample_rate = None,
            MediaField::Channels => self.channels = None,
            MediaField::Loudness => self.loudness = None,
            MediaField::Silence => self.silence = None,
            MediaField::Waveform => self.waveform = None,
            MediaField::Renditions => self.renditions = None,
        }
    }
}

/// In which order a list is: by when the originals were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum ListOrder {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}
