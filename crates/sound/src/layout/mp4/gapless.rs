//! The tag `iTunSMPB`, in which iTunes writes the encoder's delay of a track without an edit list.

use std::io::{Read, Seek};

use super::boxes::{BoxReader, Mp4Box};
use crate::error::SoundError;

/// Longer delays are no encoder's.
const MAX_DELAY: u64 = 16_384;
/// The bytes of a tag that are read.
const TAG_BYTES: usize = 512;

/// The sound between delay and padding, in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gapless {
    pub delay: u64,
    pub length: u64,
}

/// Searches `udta` for the tag: in `meta`, `ilst`, `----`.
pub(super) fn read<S: Read + Seek>(
    boxes: &mut BoxReader<'_, S>,
    user_data: Mp4Box,
) -> Result<Option<Gapless>, SoundError> {
    let Some(meta) = boxes.find(user_data, b"meta", user_data.start)? else { return Ok(None) };
    // In QuickTime files, `meta` has no version.
    let version_bytes = if boxes.field::<4>(meta, 4)? == *b"hdlr" { 0 } else { 4 };
    let Some(list) = boxes.find(meta, b"ilst", meta.start + version_bytes)? else { return Ok(None) };
    let mut position = list.start;
    while let Some(tag) = boxes.find(list, b"----", position)? {
        let mut content = vec![0; TAG_BYTES.min(usize::try_from(tag.end - tag.start).unwrap_or(TAG_BYTES))];
        let read = boxes.source.read_at(tag.start, &mut content)?;
        if let Some(found) = parse(&content[..read]) {
            return Ok(Some(found));
        }
        position = tag.end;
    }
    Ok(None)
}

/// Parses ` 00000000 00000840 000002F4 00000000000204CC …`: unused, delay, padding, length.
fn parse(tag: &[u8]) -> Option<Gapless> {
    let after = |mark: &[u8], from: usize| {
        let found = tag.get(from..)?.windows(mark.len()).position(|window| window == mark)?;
        Some(from + found + mark.len())
    };
    let name = after(b"iTunSMPB", 0)?;
    // Type and locale precede the text.
    let text = tag.get(after(b"data", name)? + 8..)?;
    let text = text.split(|byte| !byte.is_ascii_hexdigit() && *byte != b' ').next()?;
    let mut numbers = std::str::from_utf8(text).ok()?.split_ascii_whitespace().skip(1);
    let mut number = || u64::from_str_radix(numbers.next()?, 16).ok();
    let (delay, _padding, length) = (number()?, number()?, number()?);
    (delay < MAX_DELAY && length > 0).then_some(Gapless { delay, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_and_length_are_parsed() {
        let tag = |text: &str| {
            let boxes =
                b"\0\0\0\x1cmean\0\0\0\0com.apple.iTunes\0\0\0\x14name\0\0\0\0iTunSMPB\0\0\0\x84data\0\0\0\x01\0\0\0\0";
            parse(&[&boxes[..], text.as_bytes()].concat())
        };
        let found = Some(Gapless { delay: 2112, length: 132_300 });
        assert_eq!(tag(" 00000000 00000840 000002F4 00000000000204CC 00000000 00000000"), found);
        assert_eq!(tag("00000000 00000840 000002F4 00000000000204CC\0trailing"), found);
        for text in ["", " 00000000 00000840", " 00000000 00000840 0 0", " 0 FFFFFFFF 0 1", " 0 x 0 1"] {
            assert_eq!(tag(text), None, "{text}");
        }
        assert_eq!(parse(b"iTunNORM data"), None);
    }
}
