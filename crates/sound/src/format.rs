use serde::Serialize;

/// What holds the encoded sound, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// RIFF WAVE.
    Wav,
    /// FLAC's own.
    Flac,
    /// Ogg.
    Ogg,
    /// ISO base media: M4A, MP4, MOV, 3GP.
    Mp4,
    /// A bare stream of MPEG audio frames, with or without an ID3 tag.
    Mpeg,
    /// A bare stream of AAC frames.
    Adts,
}

/// How sound is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// AAC, low complexity.
    AacLc,
    /// MPEG-1, -2 and -2.5, layer III.
    Mp3,
    /// FLAC.
    Flac,
    /// Vorbis.
    Vorbis,
    /// Opus.
    Opus,
    /// Uncompressed, of any width, A-law and µ-law included.
    Pcm,
}

/// What the first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sniffed {
    Known(Container),
    /// Known to hold sound, or to be able to, by name.
    Foreign(&'static str),
    Unknown,
}

/// How many bytes [`sniff`] looks at.
pub(crate) const SNIFFED_BYTES: usize = 16;

/// Tells the container by the first bytes after any ID3 tag, never by a name or a declared type.
pub(crate) fn sniff(bytes: &[u8]) -> Sniffed {
    use Container::*;
    use Sniffed::*;
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Known(Wav),
        [b'f', b'L', b'a', b'C', ..] => Known(Flac),
        [b'O', b'g', b'g', b'S', ..] => Known(Ogg),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Known(Mp4),
        // QuickTime files older than the brand begin with any of these.
        [0, _, _, _, b'm', b'o', b'o', b'v' | b'f', ..] | [_, _, _, _, b'm', b'd', b'a', b't', ..] => Known(Mp4),
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Known(Adts),
        [0xff, second, third, ..] if second & 0xe0 == 0xe0 => mpeg_audio(*second, *third),
        [b'#', b'!', b'A', b'M', b'R', ..] => Foreign("AMR"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Foreign("Matroska or WebM"),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => Foreign("AIFF"),
        [b'c', b'a', b'f', b'f', ..] => Foreign("CAF"),
        [b'R', b'F', b'6', b'4', ..] | [b'B', b'W', b'6', b'4', ..] => Foreign("a WAV beyond 4 GiB"),
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => Foreign("Windows Media"),
        [b'A', b'D', b'I', b'F', ..] => Foreign("AAC in ADIF"),
        [b'M', b'A', b'C', b' ', ..] => Foreign("Monkey's Audio"),
        [b'w', b'v', b'p', b'k', ..] => Foreign("WavPack"),
        [b'.', b's', b'n', b'd', ..] => Foreign("AU"),
        [0x0b, 0x77, ..] => Foreign("AC-3"),
        _ => Unknown,
    }
}

/// The second and third byte of a frame's header (ISO/IEC 11172-3, 2.4.1.3).
fn mpeg_audio(second: u8, third: u8) -> Sniffed {
    let version = second >> 3 & 3;
    let layer = second >> 1 & 3;
    let (bit_rate, rate) = (third >> 4, third >> 2 & 3);
    if version == 1 || bit_rate == 15 || rate == 3 {
        return Sniffed::Unknown;
    }
    match layer {
        1 => Sniffed::Known(Container::Mpeg),
        2 => Sniffed::Foreign("MPEG audio layer II"),
        // Layer I is extinct; text in UTF-16 begins as it does.
        _ => Sniffed::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_containers_by_their_signature() {
        let known: [(&[u8], Container); 8] = [
            (b"RIFF\0\0\0\0WAVEfmt ", Container::Wav),
            (b"fLaC\0\0\0\x22", Container::Flac),
            (b"OggS\0\x02", Container::Ogg),
            (b"\0\0\0\x20ftypM4A ", Container::Mp4),
            (b"\0\0\0\x14ftyp3gp4", Container::Mp4),
            (b"\xff\xfb\x90\x64", Container::Mpeg),
            (b"\xff\xf1\x50\x80", Container::Adts),
            (b"\xff\xf3\x44\xc4", Container::Mpeg),
        ];
        for (bytes, container) in known {
            assert_eq!(sniff(bytes), Sniffed::Known(container), "{bytes:?}");
        }
        assert_eq!(sniff(b"#!AMR\n"), Sniffed::Foreign("AMR"));
        assert_eq!(sniff(b"\xff\xfd\x90\x64"), Sniffed::Foreign("MPEG audio layer II"));
    }

    #[test]
    fn anything_else_is_unknown() {
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
            assert_eq!(sniff(bytes), Sniffed::Unknown, "{bytes:?}");
        }
    }
}
