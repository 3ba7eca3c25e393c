use base64::{Engine, prelude::BASE64_STANDARD};
use derivatives::{Content, File, Rendered, content_hash};
use domain::media::{Derivatives, Kind, MediaId, Picture, Reason, Sequencer, Variant, Visibility, variant_key};
use domain::upload::max_bytes;
use function_kit::failure::Failure;
use picture::{Limits, PictureError, Pictures};

/// The largest accepted original, in bytes. Originals are held in memory.
const MAX_BYTES: u64 = max_bytes(Kind::Photo);

/// Renders an original's variants. Pure: the same bytes give the same files under the same keys.
///
/// The inner error is the permanent reason why the original has no variants.
///
/// # Errors
/// If `picture` has an internal error, which is a bug.
pub fn render(
    id: MediaId,
    sequencer: &Sequencer,
    bytes: &[u8],
    visibility: Visibility,
) -> Result<Result<Rendered, Reason>, Failure> {
    match picture::make_variants(bytes, &Limits::default()) {
        Ok(pictures) => describe(id, sequencer, visibility, pictures).map(Ok),
        Err(error) => reason(&error).map(Err).ok_or_else(|| Failure::bug("make variants", error)),
    }
}

fn describe(
    id: MediaId,
    sequencer: &Sequencer,
    visibility: Visibility,
    pictures: Pictures,
) -> Result<Rendered, Failure> {
    let (mut variants, mut files) = (Vec::new(), Vec::new());
    for picture::Variant { width, height, encoding, bytes, .. } in pictures.variants {
        let hash = content_hash(&bytes[..]).map_err(|error| Failure::bug("hash a variant", error))?;
        let key = variant_key(id, sequencer, visibility, (width, height), &hash, encoding.extension());
        let content_type = encoding.mime().to_owned();
        variants.push(Variant {
            key: key.clone(),
            content_type: content_type.clone(),
            width,
            height,
            size: bytes.len() as u64,
        });
        files.push(File { key, content_type, content: Content::Bytes(bytes) });
    }
    let detected_type = Some(pictures.format.mime());
    let [red, green, blue] = pictures.dominant_colour;
    let picture = Picture {
        width: pictures.width,
        height: pictures.height,
        thumb_hash: BASE64_STANDARD.encode(&pictures.thumb_hash),
        dominant_colour: format!("#{red:02x}{green:02x}{blue:02x}"),
        variants,
    };
    Ok(Rendered { derived: Derivatives::Picture(picture), detected_type, files })
}

/// Rejects originals by their size in bytes, before they are fetched.
pub fn check_size(size: u64) -> Result<(), Reason> {
    match size {
        0 => Err(Reason::Empty),
        1..=MAX_BYTES => Ok(()),
        _ => Err(Reason::TooLarge),
    }
}

/// The reason that clients see; `None` if the error is not about the original.
fn reason(error: &PictureError) -> Option<Reason> {
    match error {
        PictureError::Empty => Some(Reason::Empty),
        PictureError::UnsupportedFormat => Some(Reason::UnsupportedFormat),
        PictureError::TooManyPixels { .. } => Some(Reason::TooManyPixels),
        PictureError::Truncated => Some(Reason::Truncated),
        PictureError::Corrupt(_) => Some(Reason::Corrupt),
        PictureError::Internal(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_or_oversized_original_is_rejected_by_size() {
        assert_eq!(check_size(0), Err(Reason::Empty));
        assert_eq!(check_size(MAX_BYTES), Ok(()));
        assert_eq!(check_size(MAX_BYTES + 1), Err(Reason::TooLarge));
    }
}
