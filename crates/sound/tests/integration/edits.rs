//! Edit lists of MP4: what they leave is measured, and nothing else.

use sound::{Analysis, Structure, layout};
use std::io::Cursor;

use crate::signals::{analysed, case, fixture};

/// An edit: length in units of the movie, start in units of the track (−1 for a pause).
type Edit = (u32, i32);

/// Replaces the edit list of a file whose index is its last box, so that no sample moves.
fn with_edits(mut file: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    let find = |file: &[u8], kind: &[u8]| file.windows(4).rposition(|window| window == kind).unwrap() - 4;
    let mut list = Vec::new();
    let content = [&[0; 4][..], &(edits.len() as u32).to_be_bytes()].concat();
    list.extend((8 + content.len() as u32 + 12 * edits.len() as u32).to_be_bytes());
    list.extend(b"elst");
    list.extend(content);
    for (length, start) in edits {
        list.extend(length.to_be_bytes());
        list.extend(start.to_be_bytes());
        list.extend(0x1_0000_u32.to_be_bytes());
    }
    let at = find(&file, b"elst");
    let old = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let added = list.len() as i64 - old as i64;
    for parent in [b"moov", b"trak", b"edts"] {
        let start = find(&file, parent);
        let length = u32::from_be_bytes(file[start..start + 4].try_into().unwrap());
        file[start..start + 4].copy_from_slice(&((i64::from(length) + added) as u32).to_be_bytes());
    }
    file.splice(at..at + old, list);
    file
}

/// A voice of two seconds at 44.1 kHz, with 1024 frames of delay. The units of movie and track are frames.
fn edited(edits: &[Edit]) -> Analysis {
    analysed(with_edits(fixture("aac-index-last.m4a"), edits)).unwrap_or_else(|error| panic!("{edits:?}: {error}"))
}

const DELAY: i32 = 1024;

#[test]
fn only_what_edits_leave_is_measured() {
    for (edits, frames) in [
        (&[(88_200, DELAY)][..], 88_200),
        (&[(44_100, DELAY)], 44_100),
        (&[(44_100, DELAY + 44_100)], 44_100),
        (&[(4_410, DELAY + 12_345)], 4_410),
        (&[(22_050, DELAY), (22_050, DELAY + 66_150)], 44_100),
        (&[(100, DELAY), (200, DELAY + 1_000), (300, DELAY + 5_000), (1, DELAY + 6_000)], 601),
        // Pauses are not played.
        (&[(30_000, -1), (88_200, DELAY)], 88_200),
        (&[(22_050, DELAY), (10_000, -1), (22_050, DELAY + 66_150)], 44_100),
        // Until the end.
        (&[(0, DELAY)], 88_200),
        (&[(0, DELAY + 44_100)], 44_100),
        // Beyond the end.
        (&[(u32::MAX, DELAY)], 88_200),
        (&[(100_000, DELAY + 88_100)], 100),
    ] {
        assert_eq!(edited(edits).frames, frames, "{edits:?}");
    }
}

#[test]
fn middle_cut_leaves_the_sound_on_both_sides() {
    let points = |edits: &[Edit]| edited(edits).waveform.points().to_vec();
    let whole = points(&[(88_200, DELAY)]);
    // Multiples of the 256 frames of a point.
    let cut = points(&[(256 * 60, DELAY), (256 * 80, DELAY + 256 * 200)]);
    assert_eq!(cut[..60], whole[..60]);
    assert_eq!(cut[60..], whole[200..280]);
}

#[test]
fn edits_of_opus_never_play_its_delay() {
    let whole = analysed(case("opus-in-mp4.mp4")).unwrap();
    assert_eq!(whole.frames, 3 * 48_000);
    for (edits, frames) in [
        (&[(144_000, 312)][..], 144_000),
        (&[(48_000, 312 + 48_000)], 48_000),
        (&[(144_312, 0)], 144_000),
        (&[(0, 0)], 144_000),
    ] {
        let analysis = analysed(with_edits(case("opus-in-mp4.mp4"), edits)).unwrap();
        assert_eq!(analysis.frames, frames, "{edits:?}");
    }
}

#[test]
fn reordered_or_repeated_edits_are_handed_on() {
    for edits in [&[(44_100, DELAY + 44_100), (44_100, DELAY)][..], &[(44_100, DELAY), (44_100, DELAY)]] {
        let file = with_edits(fixture("aac-index-last.m4a"), edits);
        assert_eq!(analysed(&file).unwrap_err().code(), "needs_other_decoder", "{edits:?}");
        let Structure::Mp4(tracks) = layout(Cursor::new(file)).unwrap().structure else { panic!("no MP4") };
        assert_eq!(tracks[0].parts, None);
    }
}

#[test]
fn layout_has_the_parts_of_each_track() {
    let Structure::Mp4(tracks) = layout(Cursor::new(case("mp4-unknown-track-first.mp4"))).unwrap().structure else {
        panic!("no MP4")
    };
    let parts: Vec<_> = tracks.into_iter().map(|track| track.parts.unwrap()).collect();
    let end = |index: usize| (parts[index][0].end_seconds.unwrap() * 44_100.0).round();
    assert_eq!((parts.len(), end(0), end(1)), (2, 1024.0 + 132_300.0, 1024.0 + 44_100.0));
}
