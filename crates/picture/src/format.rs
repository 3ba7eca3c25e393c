/// A supported format of originals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG: baseline and progressive, grey, RGB, YCbCr, CMYK, YCCK.
    Jpeg,
    /// PNG: all colour types and depths. Of an APNG, the still picture.
    Png,
    /// WebP: lossy and lossless, with and without transparency. Of an animation, the first frame.
    WebP,
    /// GIF: the first frame.
    Gif,
    /// HEIC: HEVC in a HEIF container, the format of many phones. Requires the feature `heic`.
    Heic,
}

impl Format {
    /// The media type for a `Content-Type` header (IANA registry of image types).
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Heic => "image/heic",
        }
    }

    /// The usual file extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Heic => "heic",
        }
    }
}

/// Recognises the format by the first bytes. The name and the declared type of a file are irrelevant.
///
/// `None` for any other content, for example HTML, SVG or AVIF in a file called `.jpg`. Signatures
/// are those of the WHATWG MIME Sniffing Standard, section 6.1; for HEIC, the brands of ISO/IEC
/// 23008-12, annex B.4. The rest of the file is not checked.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Format::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => is_heic(bytes).then_some(Format::Heic),
        _ => None,
    }
}

/// Whether the box `ftyp` at the start contains a brand of still pictures in HEVC as the major brand. If that is a
/// general brand of still pictures, the compatible brands decide; without a codec among them, the picture itself does.
fn is_heic(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
    let brands = bytes.get(8..length.min(bytes.len())).unwrap_or_default();
    let (brands, _) = brands.as_chunks::<4>();
    let is_hevc = |brand: &[u8; 4]| matches!(brand, b"heic" | b"heix");
    let is_av1 = |brand: &[u8; 4]| matches!(brand, b"avif" | b"avis");
    match brands {
        [[b'm', b'i', b'f', b'1' | b'2'] | [b'm', b's', b'f', b'1'], _version, compatible @ ..] => {
            compatible.iter().any(is_hevc) || !compatible.iter().any(is_av1)
        }
        [major, ..] => is_hevc(major),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sniff_recognises_each_signature() {
        assert_eq!(sniff(b"\xff\xd8\xff\xe0"), Some(Format::Jpeg));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n"), Some(Format::Png));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Some(Format::WebP));
        assert_eq!(sniff(b"GIF89a"), Some(Format::Gif));
        assert_eq!(sniff(b"GIF87a"), Some(Format::Gif));
        assert_eq!(sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), Some(Format::Heic));
        assert_eq!(sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"), Some(Format::Heic));
        assert_eq!(sniff(b"\0\0\0\x14ftypmif1\0\0\0\0mif1"), Some(Format::Heic));
        assert_eq!(sniff(b"\0\0\0\x10ftypmif2\0\0\0\0"), Some(Format::Heic));
    }

    #[test]
    fn sniff_of_other_content_is_none() {
        let others: [&[u8]; 9] = [
            b"",
            b"\xff\xd8",
            b"<html><body>",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"RIFF\0\0\0\0WAVEfmt ",
            b"GIF88a",
            b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif",
            b"\0\0\0\x18ftypheic"[..10].as_ref(),
            b"\0\0\0\x18ftypavif\0\0\0\0mif1heic",
        ];
        for bytes in others {
            assert_eq!(sniff(bytes), None, "{bytes:?}");
        }
    }
}
