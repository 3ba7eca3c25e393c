use std::fmt;

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

/// What is known to hold sound, or to be able to, and is not read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Foreign {
    /// Adaptive Multi-Rate, narrow or wide.
    Amr,
    /// Matroska or WebM.
    Matroska,
    /// AIFF or AIFF-C.
    Aiff,
    /// Apple's Core Audio Format.
    Caf,
    /// A WAV beyond 4 GiB: RF64 or BW64.
    LargeWav,
    /// MPEG audio, layer II.
    MpegLayer2,
    /// Anything else, by name.
    Other(&'static str),
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amr => "AMR",
            Self::Matroska => "Matroska or WebM",
            Self::Aiff => "AIFF",
            Self::Caf => "CAF",
            Self::LargeWav => "a WAV beyond 4 GiB",
            Self::MpegLayer2 => "MPEG audio layer II",
            Self::Other(name) => name,
        })
    }
}

/// What a file is by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// It is read here.
    Known(Container),
    /// Another decoder may read it.
    Foreign(Foreign),
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

impl Codec {
    /// A stable code, as JSON has it.
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

/// How many bytes [`sniff`] looks at.
pub(crate) const SNIFFED_BYTES: usize = 16;

/// Tells the container by the first bytes after any ID3 tag, never by a name or a declared type.
pub(crate) fn sniff(bytes: &[u8]) -> Option<Recognised> {
    use Container::*;
    use Foreign::*;
    let known = |container| Some(Recognised::Known(container));
    let foreign = |foreign| Some(Recognised::Foreign(foreign));
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => known(Wav),
        [b'f', b'L', b'a', b'C', ..] => known(Flac),
        [b'O', b'g', b'g', b'S', ..] => known(Ogg),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => known(Mp4),
        // QuickTime files older than the brand begin with any of these.
        [0, _, _, _, b'm', b'o', b'o', b'v' | b'f', ..] | [_, _, _, _, b'm', b'd', b'a', b't', ..] => known(Mp4),
        [0xff, second, ..] if second & 0xf6 == 0xf0 => known(Adts),
        [0xff, second, third, ..] if second & 0xe0 == 0xe0 => mpeg_audio(*second, *third),
        [b'#', b'!', b'A', b'M', b'R', ..] => foreign(Amr),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => foreign(Matroska),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => foreign(Aiff),
        [b'c', b'a', b'f', b'f', ..] => foreign(Caf),
        [b'R', b'F', b'6', b'4', ..] | [b'B', b'W', b'6', b'4', ..] => foreign(LargeWav),
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => foreign(Other("Windows Media")),
        [b'A', b'D', b'I', b'F', ..] => foreign(Other("AAC in ADIF")),
        [b'M', b'A', b'C', b' ', ..] => foreign(Other("Monkey's Audio")),
        [b'w', b'v', b'p', b'k', ..] => foreign(Other("WavPack")),
        [b'.', b's', b'n', b'd', ..] => foreign(Other("AU")),
        [0x0b, 0x77, ..] => foreign(Other("AC-3")),
        _ => None,
    }
}

/// The second and third byte of a frame's header (ISO/IEC 11172-3, 2.4.1.3).
fn mpeg_audio(second: u8, third: u8) -> Option<Recognised> {
    let version = second >> 3 & 3;
    let layer = second >> 1 & 3;
    let (bit_rate, rate) = (third >> 4, third >> 2 & 3);
    if version == 1 || bit_rate == 15 || rate == 3 {
        return None;
    }
    match layer {
        1 => Some(Recognised::Known(Container::Mpeg)),
        2 => Some(Recognised::Foreign(Foreign::MpegLayer2)),
        // Layer I is extinct; text in UTF-16 begins as it does.
        _ => None,
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
            assert_eq!(sniff(bytes), Some(Recognised::Known(container)), "{bytes:?}");
        }
        assert_eq!(sniff(b"#!AMR\n"), Some(Recognised::Foreign(Foreign::Amr)));
        assert_eq!(sniff(b"\xff\xfd\x90\x64"), Some(Recognised::Foreign(Foreign::MpegLayer2)));
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
            assert_eq!(sniff(bytes), None, "{bytes:?}");
        }
    }
}
