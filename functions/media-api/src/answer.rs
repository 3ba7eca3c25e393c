mod sound;

use domain::media::{
    self, Declared, Derived, FileName, Kind, MediaId, MediaItem, Post, Reason, State, Upload, Visibility,
};
use function_kit::failure::Failure;
use serde::Serialize;

pub use sound::Sound;

use crate::{epoch::Epoch, fields::Selected, links::Links};

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List {
    pub items: Vec<Selected<Item>>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Those of a batch of items that the caller may see, in the order in which they were asked for.
#[derive(Debug, Serialize)]
pub struct Batch {
    pub items: Vec<Selected<Item>>,
}

/// A media item as clients see it. Nothing here leads to the original.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    pub id: MediaId,
    pub kind: Kind,
    pub owner: String,
    /// RFC 3339 in UTC, to the millisecond: of one length, so that clients may sort it as text.
    pub uploaded_at: String,
    /// Of the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Of the original.
    pub bytes: u64,
    pub visibility: Visibility,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// For the owner only: it says more about them than about the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<FileName>,
    #[serde(flatten)]
    pub state: Shown,
}

/// What a client needs to know in each state.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Shown {
    Processing,
    Ready {
        /// Absent where none of it was asked for.
        #[serde(flatten)]
        made: Option<Made>,
    },
    Failed {
        reason: Reason,
    },
}

/// What was made of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Made {
    Picture(Picture),
    Sound(Box<Sound>),
}

/// What is shown of a picture.
#[derive(Debug, Serialize)]
pub struct Picture {
    /// Of the original, in pixels, as shown.
    pub width: u32,
    pub height: u32,
    pub placeholder: Placeholder,
    /// Largest first.
    pub variants: Vec<Variant>,
}

/// What to show while a variant loads.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Placeholder {
    /// Base 64.
    pub thumb_hash: String,
    /// `#rrggbb`.
    pub colour: String,
}

/// A file to show.
#[derive(Debug, Serialize)]
pub struct Variant {
    pub url: String,
    pub width: u32,
    pub height: u32,
    pub bytes: u64,
    #[serde(rename = "type")]
    pub content_type: String,
}

impl Item {
    /// What `caller` sees of `item`, which they may see; nothing if it has been deleted. Files
    /// are left out unless `links` are given.
    pub async fn of(item: MediaItem, caller: &str, links: Option<(&Links, Epoch)>) -> Result<Option<Self>, Failure> {
        let (upload, state) = match item.state {
            State::Processing(upload) => (upload, Shown::Processing),
            State::Ready(upload, derived) => {
                let made = match derived {
                    Some(Derived::Picture(picture)) => Some(Made::Picture(Picture::of(picture, links).await?)),
                    Some(Derived::Sound(sound)) => Some(Made::Sound(Box::new(Sound::of(*sound, links).await?))),
                    None => None,
                };
                (upload, Shown::Ready { made })
            }
            State::Failed(upload, reason) => (upload, Shown::Failed { reason }),
            State::Deleted { .. } => return Ok(None),
        };
        let Upload { size, uploaded_at, declared: Declared { content_type, intent } } = upload;
        Ok(Some(Self {
            id: item.id,
            kind: item.kind,
            uploaded_at: format!("{uploaded_at:.3}"),
            content_type,
            bytes: size,
            visibility: intent.visibility,
            post: intent.post,
            file_name: intent.file_name.filter(|_| item.owner == caller),
            owner: item.owner,
            state,
        }))
    }
}

impl Picture {
    async fn of(picture: media::Picture, links: Option<(&Links, Epoch)>) -> Result<Self, Failure> {
        let media::Picture { width, height, thumb_hash, dominant_colour, variants } = picture;
        let variants = match links {
            None => Vec::new(),
            Some((links, epoch)) => {
                let keys: Vec<_> = variants.iter().map(|variant| variant.key.as_str()).collect();
                let urls = links.to(&keys, epoch).await?;
                let variants = variants.into_iter().zip(urls).map(|(variant, url)| Variant {
                    url,
                    width: variant.width,
                    height: variant.height,
                    bytes: variant.size,
                    content_type: variant.content_type,
                });
                variants.collect()
            }
        };
        Ok(Self { width, height, placeholder: Placeholder { thumb_hash, colour: dominant_colour }, variants })
    }
}
