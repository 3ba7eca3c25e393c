use base64::{Engine, prelude::BASE64_STANDARD};
use derivatives::{Content, File, Rendered, content_hash};
use domain::media::{Derivatives, MediaId, Picture, Reason, Sequencer, Variant, Visibility, variant_key};
use function_kit::failure::Failure;
use picture::{Format, Limits, PictureError, Pictures};

/// The largest accepted original, in bytes. Originals are held in memory.
const MAX_BYTES: u64 = 50 * 1024 * 1024;

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
    declared_type: Option<&str>,
    visibility: Visibility,
) -> Result<Result<Rendered, Reason>, Failure> {
    if let Err(reason) = check_type(bytes, declared_type) {
        return Ok(Err(reason));
    }
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
    let [red, green, blue] = pictures.dominant_colour;
    let picture = Picture {
        width: pictures.width,
        height: pictures.height,
        thumb_hash: BASE64_STANDARD.encode(&pictures.thumb_hash),
        dominant_colour: format!("#{red:02x}{green:02x}{blue:02x}"),
        variants,
    };
    Ok(Rendered { derived: Derivatives::Picture(picture), files })
}

/// Rejects originals by their size in bytes, before they are fetched.
pub fn check_size(size: u64) -> Result<(), Reason> {
    match size {
        0 => Err(Reason::Empty),
        1..=MAX_BYTES => Ok(()),
        _ => Err(Reason::TooLarge),
    }
}

/// Rejects a picture of another format than declared. Passes if no picture type is declared (`application/octet-stream`,
/// none), or if the content has no known format: the decoder decides then.
fn check_type(bytes: &[u8], declared: Option<&str>) -> Result<(), Reason> {
    let (Some(declared), Some(format)) = (declared, picture::sniff(bytes)) else { return Ok(()) };
    let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let declared = match &declared[..] {
        // Common, although not registered.
        "image/jpg" => "image/jpeg",
        // HEIC is a HEIF container.
        "image/heif" if format == Format::Heic => "image/heic",
        declared => declared,
    };
    if declared.starts_with("image/") && declared != format.mime() { Err(Reason::TypeMismatch) } else { Ok(()) }
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

    const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn empty_or_oversized_original_is_rejected_by_size() {
        assert_eq!(check_size(0), Err(Reason::Empty));
        assert_eq!(check_size(MAX_BYTES), Ok(()));
        assert_eq!(check_size(MAX_BYTES + 1), Err(Reason::TooLarge));
    }

    #[test]
    fn picture_of_another_type_than_declared_is_rejected() {
        for declared in [None, Some("image/png"), Some("IMAGE/PNG; x=y"), Some("application/octet-stream")] {
            assert_eq!(check_type(PNG_MAGIC, declared), Ok(()), "{declared:?}");
        }
        assert_eq!(check_type(PNG_MAGIC, Some("image/jpeg")), Err(Reason::TypeMismatch));
        assert_eq!(check_type(b"\xff\xd8\xff\xe0", Some("image/jpg")), Ok(()));
        assert_eq!(check_type(b"text", Some("image/jpeg")), Ok(()));
        let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
        for (declared, expected) in
            [("image/heic", Ok(())), ("image/heif", Ok(())), ("image/jpeg", Err(Reason::TypeMismatch))]
        {
            assert_eq!(check_type(heic, Some(declared)), expected, "{declared}");
        }
        assert_eq!(check_type(PNG_MAGIC, Some("image/heif")), Err(Reason::TypeMismatch));
    }
}
