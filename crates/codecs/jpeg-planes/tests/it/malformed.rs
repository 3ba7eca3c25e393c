//! Truncated, damaged and unsupported files. The result is a complete picture or an error, never a panic.

use jpeg_encoder::ColorType;
use jpeg_planes::{Decoder, Error, Planes, Scale, Unsupported};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

use crate::sample::{Picture, SAMPLINGS, jpeg};

const SMALL: Picture = Picture { width: 70, height: 21, noise: 40, seed: 3 };

fn decode(bytes: &[u8], eighths: usize) -> Result<Planes, Error> {
    let scale = Scale::new(eighths).unwrap();
    Decoder::new(bytes)?.decode(scale, scale)
}

fn files() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for (sampling, _) in SAMPLINGS {
        for restart in [0, 2] {
            files.push(jpeg(SMALL, 90, ColorType::Ycbcr, |encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.set_restart_interval(restart);
            }));
        }
    }
    files.push(jpeg(SMALL, 90, ColorType::Luma, |_| {}));
    files
}

/// Progressive files, with and without restart markers.
fn progressive_files() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for ((sampling, _), restart) in SAMPLINGS.into_iter().zip([0, 2, 0, 7]) {
        files.push(jpeg(SMALL, 90, ColorType::Ycbcr, |encoder| {
            encoder.set_sampling_factor(sampling);
            encoder.set_progressive(true);
            encoder.set_restart_interval(restart);
        }));
    }
    files.push(jpeg(SMALL, 90, ColorType::Luma, |encoder| encoder.set_progressive(true)));
    files
}

#[test]
fn file_cut_at_any_byte_is_truncated_or_whole() {
    for bytes in files().into_iter().chain(progressive_files()) {
        let whole = decode(&bytes, 4).unwrap();
        let cut = |length: usize| decode(&bytes[..length], 4);
        for length in 0..bytes.len() - 2 {
            match cut(length) {
                Err(error) => assert_eq!(error, Error::Truncated, "{length} of {}", bytes.len()),
                // Only the last byte of the data, if it is padding, can be missing unnoticed.
                Ok(planes) => assert!(length == bytes.len() - 3 && planes == whole, "{length} of {}", bytes.len()),
            }
        }
        // Without the end marker or a half of it.
        assert_eq!((cut(bytes.len() - 2), cut(bytes.len() - 1)), (Ok(whole.clone()), Ok(whole)));
    }
}

#[test]
fn bytes_in_place_of_the_end_marker_are_ignored() {
    for bytes in files().into_iter().chain(progressive_files()) {
        let whole = decode(&bytes, 4);
        let unended = &bytes[..bytes.len() - 2];
        let behind: [&[u8]; 6] = [
            &[0, 0],
            &[0; 64],
            b"maker's text",
            &[0xff, 0xd0],
            &[0xff, 0xda, 0, 0],
            &[0xff, 0xd8, 0xff, 0xc4, 0xff, 0xff],
        ];
        for behind in behind {
            assert_eq!(decode(&[unended, behind].concat(), 4), whole, "{behind:?}");
        }
    }
}

/// A progressive picture that lacks coefficients is complete only if an end marker says so.
#[test]
fn progressive_file_without_its_last_scan_needs_an_end_marker() {
    for bytes in progressive_files() {
        let last = bytes.windows(2).rposition(|w| w == [0xff, 0xda]).unwrap();
        assert_eq!(decode(&bytes[..last], 4), Err(Error::Truncated));
        assert_eq!(decode(&[&bytes[..last], &[0; 64]].concat(), 4), Err(Error::Truncated));
        assert!(decode(&[&bytes[..last], &[0xff, 0xd9]].concat(), 4).is_ok());
    }
}

#[test]
fn sequential_file_without_huffman_tables_uses_the_typical_ones() {
    for bytes in files() {
        let whole = decode(&bytes, 4).unwrap();
        // A file may also define a part of them.
        let mut without = bytes;
        while let Some(at) = without.windows(2).position(|w| w == [0xff, 0xc4]) {
            let length = 2 + usize::from(u16::from_be_bytes([without[at + 2], without[at + 3]]));
            without.drain(at..at + length);
            assert_eq!(decode(&without, 4).as_ref(), Ok(&whole));
        }
    }
}

#[test]
fn metadata_segment_shorter_than_its_length_field_is_empty() {
    for bytes in files().into_iter().chain(progressive_files()) {
        for (marker, length) in [(0xfe, 0), (0xfe, 1), (0xfe, 2), (0xe5, 0), (0xe1, 1)] {
            let with = [&bytes[..2], &[0xff, marker, 0, length], &bytes[2..]].concat();
            assert_eq!(decode(&with, 4), decode(&bytes, 4), "{marker:x} {length}");
            assert_eq!(Decoder::new(&with).unwrap().header().segments[0].data, b"");
        }
    }
}

/// Some software adds an end marker to a truncated file.
#[test]
fn cut_sequential_file_with_end_marker_is_an_error() {
    for bytes in files() {
        let scan = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
        for length in (scan + 14..bytes.len() - 2).step_by(3) {
            let cut = [&bytes[..length], &[0xff, 0xd9]].concat();
            for eighths in [1, 4] {
                assert!(decode(&cut, eighths).is_err(), "{length} of {}", bytes.len());
            }
        }
    }
}

/// A progressive picture is complete after any of its scans, but not within a scan.
#[test]
fn progressive_file_cut_within_a_scan_with_end_marker_is_an_error() {
    for bytes in progressive_files() {
        let marker = |at: usize| bytes[at] == 0xff && !matches!(bytes[at + 1], 0 | 0xd0..=0xd7 | 0xff);
        let scans: Vec<_> =
            bytes.windows(2).enumerate().filter(|(_, w)| w == &[0xff, 0xda]).map(|(at, _)| at).collect();
        assert!(scans.len() > 1);
        for scan in scans {
            let data = scan + 2 + usize::from(bytes[scan + 3]);
            let end = (data..bytes.len() - 1).find(|&at| marker(at)).unwrap();
            // The last byte may be padding.
            for length in data..end - 1 {
                let cut = [&bytes[..length], &[0xff, 0xd9]].concat();
                assert!(decode(&cut, 3).is_err(), "{length} of {data}..{end}");
            }
        }
    }
}

#[test]
fn thousands_of_scans_are_corrupt() {
    let bytes = &progressive_files()[0];
    let last = bytes.windows(2).rposition(|w| w == [0xff, 0xda]).unwrap();
    let scan = bytes[..last].windows(2).rposition(|w| w == [0xff, 0xda]).unwrap();
    // Before the last one, which completes the picture.
    let many = [&bytes[..last], &bytes[scan..last].repeat(5000), &bytes[last..]].concat();
    assert_eq!(decode(&many, 1), Err(Error::Corrupt("too many scans")));
}

#[test]
fn missing_or_wrong_restart_marker_is_an_error() {
    let bytes = jpeg(SMALL, 90, ColorType::Ycbcr, |encoder| encoder.set_restart_interval(3));
    let at = bytes.windows(2).position(|w| w == [0xff, 0xd1]).unwrap();
    let mut wrong = bytes.clone();
    wrong[at + 1] = 0xd2;
    assert_eq!(decode(&wrong, 4), Err(Error::Corrupt("a restart marker out of order")));
    let mut missing = bytes.clone();
    missing.drain(at..at + 2);
    assert!(decode(&missing, 4).is_err());
}

#[test]
fn unsupported_file_returns_its_feature() {
    let unsupported = |bytes: &[u8]| match decode(bytes, 4) {
        Err(Error::Unsupported(feature)) => feature,
        other => panic!("{other:?}"),
    };
    let bytes = jpeg(SMALL, 90, ColorType::Ycbcr, |_| {});
    let frame = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    let with = |at: usize, value| {
        let mut bytes = bytes.clone();
        bytes[frame + at] = value;
        bytes
    };
    assert_eq!(unsupported(&with(1, 0xc3)), Unsupported::Process);
    assert_eq!(unsupported(&with(1, 0xc9)), Unsupported::Process);
    assert_eq!(unsupported(&with(4, 12)), Unsupported::Precision(12));
    assert_eq!(unsupported(&with(9, 4)), Unsupported::Components(4));
    assert_eq!(unsupported(&with(11, 0x41)), Unsupported::Sampling);
    let scan = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    let mut alone = bytes.clone();
    alone[scan + 4] = 1;
    assert_eq!(unsupported(&alone), Unsupported::Scans);
    assert_eq!(decode(b"GIF89a", 4), Err(Error::NotJpeg));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        // The same files each time; the fuzz targets look for others.
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_file_decodes_or_fails_without_panic(
        file in any::<Index>(), eighths in 1..9_usize,
        damages in prop::collection::vec((any::<Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let files: Vec<_> = files().into_iter().chain(progressive_files()).collect();
        let mut bytes = file.get(&files).clone();
        for (at, value, kind) in damages {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => bytes[at] ^= 1 << (value % 8),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, value),
            }
        }
        // A damaged header may claim any size. The caller must bound it.
        if let Ok(decoder) = Decoder::new(&bytes) {
            let header = decoder.header();
            if u32::from(header.width) * u32::from(header.height) <= 1_000_000 {
                let scale = Scale::new(eighths).unwrap();
                if let Ok(planes) = decoder.decode(scale, scale) {
                    for plane in planes.planes {
                        prop_assert_eq!(plane.samples.len(), plane.width * plane.height);
                    }
                }
            }
        }
    }
}
