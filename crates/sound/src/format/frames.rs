//! Finds frames of MPEG audio (ISO/IEC 11172-3, 13818-3) and AAC (ADTS, ISO/IEC 13818-7) in bytes.
//!
//! A stream of frames may begin within one, for example where a recording was cut. A header is short, so only several
//! in a row, each where the one before ends, count.

use super::{Container, FileFormat, OtherFormat};

/// Frames in a row that prove a stream.
const MIN_FRAMES: usize = 4;
/// Frames in a row that suffice if the last one ends the file.
const MIN_FRAMES_TO_END: usize = 2;

/// A frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub format: FileFormat,
    /// With the header, in bytes.
    length: usize,
    /// Version, layer and sampling rate, which all frames of a stream share.
    kind: [u8; 2],
}

/// The first frame of a stream in `bytes`, and its offset. `is_whole` says whether the file ends with `bytes`.
pub(crate) fn find(bytes: &[u8], is_whole: bool) -> Option<(FileFormat, usize)> {
    (0..bytes.len().saturating_sub(3)).find_map(|start| {
        let first = Frame::parse(&bytes[start..])?;
        starts_stream(&bytes[start..], first, is_whole).then_some((first.format, start))
    })
}

fn starts_stream(bytes: &[u8], first: Frame, is_whole: bool) -> bool {
    let mut position = 0;
    for count in 0..MIN_FRAMES {
        match bytes.get(position..) {
            Some([]) if is_whole => return count >= MIN_FRAMES_TO_END,
            Some(rest) => match Frame::parse(rest) {
                Some(frame) if frame.kind == first.kind && frame.format == first.format => position += frame.length,
                _ => return false,
            },
            None => return false,
        }
    }
    true
}

impl Frame {
    /// The frame whose header `bytes` start with.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [0xff, second, third, fourth, fifth, sixth, ..] if second & 0xf6 == 0xf0 => {
                let length = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth >> 5);
                // Rates beyond index 12 are reserved. The shortest header has 7 bytes.
                let is_valid = third >> 2 & 15 <= 12 && length > 7;
                let format = FileFormat::Supported(Container::Adts);
                is_valid.then_some(Self { format, length, kind: [second, third & 0xfc] })
            }
            [0xff, second, third, ..] if second & 0xe0 == 0xe0 => Self::mpeg(second, third),
            _ => None,
        }
    }

    fn mpeg(second: u8, third: u8) -> Option<Self> {
        /// In Hz, of MPEG-1. MPEG-2 has half, MPEG-2.5 a quarter.
        const RATES: [usize; 3] = [44_100, 48_000, 32_000];
        /// In kbit/s: MPEG-1 layer II and III, MPEG-2 layer I, MPEG-2 layer II and III.
        const BIT_RATES: [[usize; 14]; 4] = [
            [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
            [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
            [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
            [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        ];
        let rate_shift = match second >> 3 & 3 {
            0 => 2,
            2 => 1,
            3 => 0,
            _ => return None,
        };
        let rate = RATES.get(usize::from(third >> 2 & 3))? >> rate_shift;
        let index = usize::from(third >> 4).checked_sub(1)?;
        let padding = usize::from(third >> 1 & 1);
        let is_version_1 = rate_shift == 0;
        let (format, length) = match second >> 1 & 3 {
            3 => {
                let kilobits = if is_version_1 {
                    (index < 14).then_some(32 * (index + 1))
                } else {
                    BIT_RATES[2].get(index).copied()
                };
                (FileFormat::Other(OtherFormat::MpegLayer1), (12_000 * kilobits? / rate + padding) * 4)
            }
            2 => {
                let kilobits = BIT_RATES[if is_version_1 { 0 } else { 3 }].get(index)?;
                (FileFormat::Other(OtherFormat::MpegLayer2), 144_000 * kilobits / rate + padding)
            }
            1 => {
                let kilobits = BIT_RATES[if is_version_1 { 1 } else { 3 }].get(index)?;
                let scale = if is_version_1 { 144_000 } else { 72_000 };
                (FileFormat::Supported(Container::Mpeg), scale * kilobits / rate + padding)
            }
            _ => return None,
        };
        // The protection bit and the bit rate may change within a stream.
        Some(Self { format, length, kind: [second & 0xfe, third & 0x0c] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER_3: [u8; 4] = [0xff, 0xfb, 0x90, 0x64];

    fn stream(header: &[u8], length: usize, frames: usize) -> Vec<u8> {
        let mut frame = vec![0x55; length];
        frame[..header.len()].copy_from_slice(header);
        frame.repeat(frames)
    }

    #[test]
    fn frame_length_follows_the_header() {
        let length = |header: [u8; 6]| Frame::parse(&header).map(|frame| frame.length);
        assert_eq!(length([0xff, 0xfb, 0x90, 0x64, 0, 0]), Some(417), "layer III, 128 kbit/s at 44.1 kHz");
        assert_eq!(length([0xff, 0xfb, 0x92, 0x64, 0, 0]), Some(418), "padded");
        assert_eq!(length([0xff, 0xf3, 0x80, 0xc4, 0, 0]), Some(208), "64 kbit/s at 22.05 kHz");
        assert_eq!(length([0xff, 0xe3, 0x48, 0xc4, 0, 0]), Some(288), "MPEG-2.5, 32 kbit/s at 8 kHz");
        assert_eq!(length([0xff, 0xfd, 0xa4, 0x04, 0, 0]), Some(576), "layer II, 192 kbit/s at 48 kHz");
        assert_eq!(length([0xff, 0xff, 0xc4, 0x04, 0, 0]), Some(384), "layer I, 384 kbit/s at 48 kHz");
        assert_eq!(length([0xff, 0xf1, 0x50, 0x80, 0x2e, 0x7f]), Some(371), "ADTS");
        assert_eq!(length([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
    }

    #[test]
    fn stream_that_begins_within_a_frame_is_found() {
        for (header, length, format) in [
            (&LAYER_3[..], 417, FileFormat::Supported(Container::Mpeg)),
            (&[0xff, 0xf1, 0x50, 0x80, 0x2e, 0x7f], 371, FileFormat::Supported(Container::Adts)),
            (&[0xff, 0xff, 0xc4, 0x04], 384, FileFormat::Other(OtherFormat::MpegLayer1)),
        ] {
            let bytes = stream(header, length, 5);
            assert_eq!(find(&bytes, true), Some((format, 0)));
            for cut in [1, 100, length - 1] {
                assert_eq!(find(&bytes[cut..], true), Some((format, length - cut)), "cut {cut}");
            }
            let zeroed = [vec![0; length], bytes].concat();
            assert_eq!(find(&zeroed, true), Some((format, length)));
        }
    }

    #[test]
    fn single_header_is_no_stream() {
        assert_eq!(find(&stream(&LAYER_3, 417, 1), true), None);
        assert_eq!(find(&stream(&LAYER_3, 417, 3), false), None, "more would follow");
        assert_eq!(find(&stream(&LAYER_3, 400, 5), true), None, "frames of another length");
        assert_eq!(find(&[0; 5000], true), None);
        assert_eq!(find(&[0xff; 5000], true), None);
        assert_eq!(find(b"", true), None);
    }
}
