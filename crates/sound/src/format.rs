pub(crate) mod frames;

use std::fmt;

use serde::Serialize;

/// The container format, recognised by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// RIFF WAVE, or RF64 or BW64, its forms for more than 4 GiB.
    Wav,
    /// FLAC's native format.
    Flac,
    /// Ogg.
    Ogg,
    /// ISO base media file format: M4A, MP4, MOV, 3GP.
    Mp4,
    /// MPEG audio frames without a container, with or without an ID3 tag.
    Mpeg,
    /// AAC frames without a container.
    Adts,
}

/// A format that may contain sound and that this crate does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OtherFormat {
    /// Adaptive Multi-Rate, narrow or wide.
    Amr,
    /// Matroska or WebM.
    Matroska,
    /// AIFF or AIFF-C.
    Aiff,
    /// Apple's Core Audio Format.
    Caf,
    /// MPEG audio, layer I.
    MpegLayer1,
    /// MPEG audio, layer II.
    MpegLayer2,
    /// Another format, by name.
    Named(&'static str),
}

impl fmt::Display for OtherFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amr => "AMR",
            Self::Matroska => "Matroska or WebM",
            Self::Aiff => "AIFF",
            Self::Caf => "CAF",
            Self::MpegLayer1 => "MPEG audio layer I",
            Self::MpegLayer2 => "MPEG audio layer II",
            Self::Named(name) => name,
        })
    }
}

/// The format of a file, recognised by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// A container that this crate reads.
    Supported(Container),
    /// A format that another decoder may read.
    Other(OtherFormat),
}

/// The codec of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// AAC-LC, the low-complexity profile.
    AacLc,
    /// MPEG-1, -2 or -2.5, layer III.
    Mp3,
    /// FLAC.
    Flac,
    /// Vorbis.
    Vorbis,
    /// Opus.
    Opus,
    /// PCM of any width, including A-law and µ-law.
    Pcm,
}

impl Codec {
    /// The stable code, equal to the JSON form.
    pub fn code(self) -> &'static str {
        match self {
            Self::AacLc => "aac_lc",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Vorbis => "vorbis",
            Self::Opus => "opus",
            Self::Pcm => "pcm",
        }
    }
}

/// The number of bytes that [`sniff`] needs.
pub(crate) const SNIFFED_BYTES: usize = 16;

/// Recognises the format by the first bytes after any ID3 tag. File names and declared types are ignored.
pub(crate) fn sniff(bytes: &[u8]) -> Option<FileFormat> {
    use Container::*;
    use OtherFormat::*;
    let supported = |container| Some(FileFormat::Supported(container));
    let other = |format| Some(FileFormat::Other(format));
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => supported(Wav),
        [b'f', b'L', b'a', b'C', ..] => supported(Flac),
        [b'O', b'g', b'g', b'S', ..] => supported(Ogg),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => supported(Mp4),
        // Old QuickTime files have no brand and start with one of these boxes.
        [0, _, _, _, b'm', b'o', b'o', b'v' | b'f', ..] | [_, _, _, _, b'm', b'd', b'a', b't', ..] => supported(Mp4),
        [0xff, second, ..] if second & 0xf6 == 0xf0 => supported(Adts),
        [0xff, second, third, ..] if second & 0xe0 == 0xe0 => mpeg_audio(*second, *third),
        [b'#', b'!', b'A', b'M', b'R', ..] => other(Amr),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => other(Matroska),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => other(Aiff),
        [b'c', b'a', b'f', b'f', ..] => other(Caf),
        [b'R', b'F', b'6', b'4', ..] | [b'B', b'W', b'6', b'4', ..] => supported(Wav),
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => other(Named("Windows Media")),
        [b'A', b'D', b'I', b'F', ..] => other(Named("AAC in ADIF")),
        [b'M', b'A', b'C', b' ', ..] => other(Named("Monkey's Audio")),
        [b'w', b'v', b'p', b'k', ..] => other(Named("WavPack")),
        [b'.', b's', b'n', b'd', ..] => other(Named("AU")),
        [0x0b, 0x77, ..] => other(Named("AC-3")),
        _ => None,
    }
}

/// Recognises MPEG audio by the second and third byte of a frame header (ISO/IEC 11172-3, 2.4.1.3).
fn mpeg_audio(second: u8, third: u8) -> Option<FileFormat> {
    let version = second >> 3 & 3;
    let layer = second >> 1 & 3;
    let (bit_rate, rate) = (third >> 4, third >> 2 & 3);
    if version == 1 || bit_rate == 15 || rate == 3 {
        return None;
    }
    match layer {
        1 => Some(FileFormat::Supported(Container::Mpeg)),
        2 => Some(FileFormat::Other(OtherFormat::MpegLayer2)),
        // Layer I needs more proof, because UTF-16 text starts with the same bytes.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_recognised() {
        let supported: [(&[u8], Container); 8] = [
            (b"RIFF\0\0\0\0WAVEfmt ", Container::Wav),
            (b"fLaC\0\0\0\x22", Container::Flac),
            (b"OggS\0\x02", Container::Ogg),
            (b"\0\0\0\x20ftypM4A ", Container::Mp4),
            (b"\0\0\0\x14ftyp3gp4", Container::Mp4),
            (b"\xff\xfb\x90\x64", Container::Mpeg),
            (b"\xff\xf1\x50\x80", Container::Adts),
            (b"\xff\xf3\x44\xc4", Container::Mpeg),
        ];
        for (bytes, container) in supported {
            assert_eq!(sniff(bytes), Some(FileFormat::Supported(container)), "{bytes:?}");
        }
        assert_eq!(sniff(b"#!AMR\n"), Some(FileFormat::Other(OtherFormat::Amr)));
        assert_eq!(sniff(b"\xff\xfd\x90\x64"), Some(FileFormat::Other(OtherFormat::MpegLayer2)));
    }

    #[test]
    fn other_content_is_not_recognised() {
        let others: [&[u8]; 8] = [
            b"",
            b"\xff",
            b"<html><body>",
            b"RIFF\0\0\0\0WEBPVP8 ",
            b"\xff\xd8\xff\xe0 a JPEG",
            b"\xff\xfeI\0D\0 UTF-16",
            b"\xff\xff\xff\xff\xff",
            b"once upon a time",
        ];
        for bytes in others {
            assert_eq!(sniff(bytes), None, "{bytes:?}");
        }
    }
}
