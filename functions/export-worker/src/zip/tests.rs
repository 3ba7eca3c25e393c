use std::io::{Cursor, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;
use jiff::Timestamp;
use proptest::prelude::*;
use zip::ZipArchive;

use super::{blocks::stored_size, *};

/// A file that is zero but for some pieces, so that gigabytes take no memory.
struct Sparse {
    pieces: Vec<(u64, Vec<u8>)>,
    length: u64,
    position: u64,
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.length.saturating_sub(self.position);
        let count = usize::try_from(left.min(buffer.len() as u64)).expect("a length");
        for (index, byte) in buffer[..count].iter_mut().enumerate() {
            let at = self.position + index as u64;
            let piece = self.pieces.iter().find(|(start, bytes)| at >= *start && at - start < bytes.len() as u64);
            *byte = piece.map_or(0, |(start, bytes)| bytes[usize::try_from(at - start).expect("an index")]);
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.length.checked_add_signed(by).expect("a position"),
            SeekFrom::Current(by) => self.position.checked_add_signed(by).expect("a position"),
        };
        Ok(self.position)
    }
}

fn time() -> DosTime {
    DosTime::of("2026-11-22T03:04:06Z".parse().expect("a time"))
}

/// Sizes around the limits of the format.
fn size() -> impl Strategy<Value = u64> {
    let limit = u64::from(u32::MAX);
    prop_oneof![0..1_000_u64, limit - 3..limit + 3, (5_u64 << 30)..(200_u64 << 30)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Entries of any size at any offset: a reader finds each with its sizes, name and time.
    #[test]
    fn directory_of_large_files_is_read_by_another_library(
        entries in prop::collection::vec((size(), "[a-z가-힣]{1,9}", 0..3_u64), 1..5),
    ) {
        let (mut pieces, mut directory, mut offset) = (Vec::new(), Vec::new(), 0_u64);
        let mut expected = Vec::new();
        for (number, (size, name, gap)) in entries.iter().enumerate() {
            // Also entries at offsets just below the limit.
            offset = offset.max(*gap * u64::from(u32::MAX / 2));
            let name = format!("{number}{name}");
            let is_zip64 = needs_zip64(*size);
            let content = Content { crc32: 7, size: *size, stored: stored_size(*size) };
            let header = local_header(&name, time(), is_zip64);
            let start = offset + header.len() as u64;
            pieces.push((offset, header));
            let entry = DirectoryEntry { name: &name, modified: time(), is_zip64, offset, content };
            directory.extend(entry.to_bytes());
            let descriptor = data_descriptor(&content, is_zip64);
            offset = start + content.stored;
            expected.push((name, *size, content.stored, start));
            let length = descriptor.len() as u64;
            pieces.push((offset, descriptor));
            offset += length;
        }
        let mut end = directory.clone();
        end.extend(end_of_directory(entries.len() as u64, directory.len() as u64, offset));
        let length = offset + end.len() as u64;
        pieces.push((offset, end));
        let mut archive = ZipArchive::new(Sparse { pieces, length, position: 0 }).expect("a zip file");
        prop_assert_eq!(archive.len(), entries.len());
        for (index, (name, size, stored, start)) in expected.into_iter().enumerate() {
            let entry = archive.by_index_raw(index).expect("an entry");
            prop_assert_eq!(entry.name().expect("UTF-8"), name);
            prop_assert_eq!((entry.size(), entry.compressed_size()), (size, stored));
            prop_assert_eq!(entry.data_start(), Some(start));
            let modified = entry.last_modified().expect("a time");
            prop_assert_eq!((modified.year(), modified.month(), modified.day()), (2026, 11, 22));
            prop_assert_eq!((modified.hour(), modified.minute(), modified.second()), (3, 4, 6));
        }
    }

    #[test]
    fn blocks_are_deflate_and_no_longer_than_expected(
        pieces in prop::collection::vec(65_536..200_000_usize, 0..4), last in 0..70_000_usize,
    ) {
        let (mut stored, mut content) = (Vec::new(), Vec::new());
        for size in pieces.into_iter().chain([last]) {
            let piece: Vec<u8> = (0..size).map(|index| (index % 253) as u8).collect();
            let before = stored.len();
            prop_assert_eq!(write_blocks(&piece, &mut stored), (stored.len() - before) as u64);
            content.extend(piece);
        }
        stored.extend(END_BLOCK);
        prop_assert!(stored.len() as u64 <= stored_size(content.len() as u64));
        let mut inflated = Vec::new();
        DeflateDecoder::new(stored.as_slice()).read_to_end(&mut inflated).expect("deflate");
        prop_assert!(inflated == content);
    }

    #[test]
    fn any_time_has_a_nearest_one(second in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second()) {
        let time = DosTime::of(Timestamp::from_second(second).expect("a time"));
        prop_assert!((1..=31).contains(&(time.date() & 31)) && (1..=12).contains(&(time.date() >> 5 & 15)));
    }
}

#[test]
fn time_outside_the_format_is_its_first_or_last() {
    let date = |text: &str| DosTime::of(text.parse().expect("a time")).date();
    assert_eq!(date("1970-01-01T00:00:00Z"), 1 << 5 | 1);
    assert_eq!(date("2200-01-01T00:00:00Z"), 127 << 9 | 12 << 5 | 31);
}

#[test]
fn more_entries_than_the_short_form_has_are_read() {
    for count in [65_534_u64, 65_535, 65_537] {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for number in 0..count {
            let name = format!("{number}");
            let content = Content { crc32: 0, size: 0, stored: END_BLOCK.len() as u64 };
            let entry =
                DirectoryEntry { name: &name, modified: time(), is_zip64: false, offset: bytes.len() as u64, content };
            directory.extend(entry.to_bytes());
            bytes.extend(local_header(&name, time(), false));
            bytes.extend(END_BLOCK);
            bytes.extend(data_descriptor(&content, false));
        }
        let end = end_of_directory(count, directory.len() as u64, bytes.len() as u64);
        assert_eq!(end.len() > 22, count >= 65_535, "the long form, if it is needed");
        bytes.extend(directory);
        bytes.extend(end);
        let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("a zip file");
        assert_eq!(archive.len() as u64, count);
        let last = archive.by_index_raw(archive.len() - 1).expect("an entry");
        assert_eq!(last.name().expect("UTF-8"), (count - 1).to_string());
    }
}
