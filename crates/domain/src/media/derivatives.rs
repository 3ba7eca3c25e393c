use serde::{Deserialize, Serialize};

use super::{Loudness, Rendition, Silence, Sound, Waveform};

/// Files and facts derived from an original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Fields")]
pub enum Derivatives {
    /// Derivatives of a picture.
    Picture(Picture),
    /// Derivatives of a recording.
    Sound(Box<Sound>),
}

/// Size, placeholder and variants of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Width of the oriented original in pixels.
    pub width: u32,
    /// Height of the oriented original in pixels.
    pub height: u32,
    /// Placeholder: `ThumbHash` (<https://evanw.github.io/thumbhash/>) in base 64.
    pub thumb_hash: String,
    /// Placeholder before that: dominant colour as `#rrggbb`.
    pub dominant_colour: String,
    /// Variants, the largest first.
    pub variants: Vec<Variant>,
}

/// One file rendered from a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Key in the bucket of derivatives.
    pub key: String,
    /// `image/jpeg` or `image/webp`.
    pub content_type: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size in bytes.
    pub size: u64,
}

/// The fields of all kinds. An untagged enum would copy everything first, to try one kind after the other.
#[derive(Deserialize)]
struct Fields {
    width: Option<u32>,
    height: Option<u32>,
    thumb_hash: Option<String>,
    dominant_colour: Option<String>,
    variants: Option<Vec<Variant>>,
    duration_ms: Option<u64>,
    codec: Option<String>,
    rate_hz: Option<u32>,
    channels: Option<u32>,
    loudness: Option<Loudness>,
    silence: Option<Silence>,
    waveform: Option<Waveform>,
    renditions: Option<Vec<Rendition>>,
}

/// Fields of no kind of derivatives.
#[derive(Debug, thiserror::Error)]
#[error("derivatives of neither a picture nor a recording")]
struct UnknownKind;

impl TryFrom<Fields> for Derivatives {
    type Error = UnknownKind;

    fn try_from(fields: Fields) -> Result<Self, UnknownKind> {
        match fields {
            Fields {
                width: Some(width),
                height: Some(height),
                thumb_hash: Some(thumb_hash),
                dominant_colour: Some(dominant_colour),
                variants: Some(variants),
                ..
            } => Ok(Self::Picture(Picture { width, height, thumb_hash, dominant_colour, variants })),
            Fields {
                duration_ms: Some(duration_ms),
                codec: Some(codec),
                rate_hz: Some(rate_hz),
                channels: Some(channels),
                loudness: Some(loudness),
                silence: Some(silence),
                waveform: Some(waveform),
                renditions: Some(renditions),
                ..
            } => Ok(Self::Sound(Box::new(Sound {
                duration_ms,
                codec,
                rate_hz,
                channels,
                loudness,
                silence,
                waveform,
                renditions,
            }))),
            _ => Err(UnknownKind),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn incomplete_derivatives_are_of_no_kind() {
        let picture =
            json!({"width": 4, "height": 3, "thumb_hash": "AA==", "dominant_colour": "#102030", "variants": []});
        assert!(matches!(serde_json::from_value(picture.clone()), Ok(Derivatives::Picture(Picture { width: 4, .. }))));
        for field in ["width", "height", "thumb_hash", "dominant_colour", "variants"] {
            let mut incomplete = picture.clone();
            incomplete.as_object_mut().and_then(|fields| fields.remove(field)).expect("a field");
            let error = serde_json::from_value::<Derivatives>(incomplete).expect_err(field);
            assert!(error.to_string().contains("neither"), "{error}");
        }
    }
}
