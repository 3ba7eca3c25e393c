use domain::media::{Derived, Kind, MediaId, MediaItem, Reason, State, Upload};
use function_kit::failure::Failure;
use serde::Serialize;

use crate::links::Links;

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List {
    pub items: Vec<Item>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
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
    #[serde(flatten)]
    pub state: Shown,
}

/// What a client needs to know in each state.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Shown {
    Processing,
    Ready {
        /// Of the original, in pixels, as shown.
        width: u32,
        height: u32,
        placeholder: Placeholder,
        /// Largest first.
        variants: Vec<Variant>,
    },
    Failed {
        reason: Reason,
    },
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
    /// What clients see of `item`; nothing if it has been deleted.
    pub async fn of(item: MediaItem, links: &Links) -> Result<Option<Self>, Failure> {
        let (Upload { uploaded_at, .. }, state) = match item.state {
            State::Processing(upload) => (upload, Shown::Processing),
            State::Ready(upload, derived) => (upload, Shown::ready(derived, links).await?),
            State::Failed(upload, reason) => (upload, Shown::Failed { reason }),
            State::Deleted { .. } => return Ok(None),
        };
        let uploaded_at = format!("{uploaded_at:.3}");
        Ok(Some(Self { id: item.id, kind: item.kind, owner: item.owner, uploaded_at, state }))
    }
}

impl Shown {
    async fn ready(derived: Derived, links: &Links) -> Result<Self, Failure> {
        let Derived { width, height, thumb_hash, dominant_colour, variants } = derived;
        let keys: Vec<_> = variants.iter().map(|variant| variant.key.as_str()).collect();
        let urls = links.to(&keys).await?;
        let variants = variants.into_iter().zip(urls).map(|(variant, url)| Variant {
            url,
            width: variant.width,
            height: variant.height,
            bytes: variant.size,
            content_type: variant.content_type,
        });
        let variants = variants.collect();
        Ok(Self::Ready { width, height, placeholder: Placeholder { thumb_hash, colour: dominant_colour }, variants })
    }
}
