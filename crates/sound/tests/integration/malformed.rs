//! Malformed files give an analysis or an error, never a panic.

use std::{io::Cursor, sync::LazyLock};

use proptest::{prelude::*, sample::Index};
use sound::{Layout, Limits, SoundError, Structure, analyse, layout};

use crate::signals::{Samples, case, fixture, flac_bomb, noise, wav};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let names = [
        "aac.m4a",
        "aac-index-last.m4a",
        "aac.aac",
        "fragmented.m4a",
        "video.mp4",
        "stereo.mp3",
        "voice.mp3",
        "vorbis.ogg",
        "voice.opus",
        "surround.opus",
        "voice.flac",
        "alaw.wav",
    ];
    let cases = [
        "fmp4-gaps-between-fragments.mp4",
        "m4a-empty-edit-then-priming.m4a",
        "m4a-itunsmpb.m4a",
        "mp3-joined-mid-frame.mp3",
        "mp4-unknown-track-first.mp4",
        "ogg-opus-without-eos.opus",
        "opus-in-mp4.mp4",
        "wav-data-44-too-long.wav",
    ];
    let mut seeds: Vec<_> = names.into_iter().map(fixture).chain(cases.into_iter().map(case)).collect();
    seeds.push([fixture("voice.opus"), fixture("music.opus")].concat());
    seeds.push(flac_bomb(2, 2, 1000));
    seeds.push(wav(8_000, 2, &Samples::F32(&noise(1, 4_000))));
    seeds
});

/// The number of malformed files per test; `PROPTEST_CASES` for longer runs.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(250)
}

/// One change of a file, at an index.
#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Flip(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Truncate(Index),
}

/// A mutation, and whether it applies to the header only.
fn mutation() -> impl Strategy<Value = (bool, Mutation)> {
    let at = any::<Index>;
    let kinds = prop_oneof![
        4 => (at(), prop_oneof![Just(0), Just(0xff), any::<u8>()]).prop_map(|(at, value)| Mutation::Set(at, value)),
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, 1 << bit)),
        1 => at().prop_map(Mutation::Remove),
        1 => (at(), any::<u8>()).prop_map(|(at, value)| Mutation::Insert(at, value)),
        1 => at().prop_map(Mutation::Truncate),
    ];
    (any::<bool>(), kinds)
}

fn apply(file: &mut Vec<u8>, is_in_header: bool, mutation: &Mutation) {
    if file.is_empty() {
        return;
    }
    // The index of an MP4 may be at the end.
    let from = if is_in_header { index(file) } else { 0 };
    let length = if is_in_header { (file.len() - from).min(700) } else { file.len() };
    match mutation {
        Mutation::Set(at, value) => file[from + at.index(length)] = *value,
        Mutation::Flip(at, bits) => file[from + at.index(length)] ^= bits,
        Mutation::Remove(at) => drop(file.remove(from + at.index(length))),
        Mutation::Insert(at, value) => file.insert(from + at.index(length), *value),
        Mutation::Truncate(at) => file.truncate(from + at.index(length)),
    }
}

/// The start of an MP4's index; 0 for other files.
fn index(file: &[u8]) -> usize {
    file.windows(4).rposition(|window| window == b"moov").unwrap_or(0)
}

fn check(file: Vec<u8>) -> Result<(), TestCaseError> {
    let limits = Limits { max_seconds: 30, max_samples: 4_000_000, ..Default::default() };
    if let Ok(layout) = layout(Cursor::new(&file)) {
        check_layout(&layout, file.len() as u64)?;
    }
    match analyse(Cursor::new(file), &limits) {
        Ok(analysis) => {
            let peaks = [analysis.true_peak_dbtp, analysis.loudness.integrated_lufs, analysis.loudness.range_lu];
            prop_assert!(peaks.into_iter().flatten().all(f64::is_finite), "{:?}", analysis);
        }
        Err(SoundError::Source { kind, message }) => prop_assert!(false, "the source cannot fail: {kind}, {message}"),
        Err(_) => {}
    }
    Ok(())
}

/// Another decoder gets ranges within the file, and parts in order.
fn check_layout(layout: &Layout, length: u64) -> Result<(), TestCaseError> {
    prop_assert!(layout.start <= length);
    match &layout.structure {
        Structure::Plain => {}
        Structure::Ogg(links) => {
            prop_assert!(links.parts.iter().all(|part| part.start < part.end && part.end <= length), "{:?}", links);
        }
        Structure::Wav(wav) => {
            prop_assert!(wav.data.start <= wav.data.end && wav.data.end <= length, "{:?}", wav);
        }
        Structure::Mp4(tracks) => {
            for parts in tracks.iter().filter_map(|track| track.parts.as_ref()) {
                prop_assert!(!parts.is_empty());
                prop_assert!(parts.iter().all(|part| part.start_seconds.is_finite() && part.start_seconds >= 0.0));
                let ends = parts.iter().filter_map(|part| part.end_seconds);
                prop_assert!(ends.clone().all(f64::is_finite));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 50, ..Default::default() })]

    #[test]
    fn malformed_file_is_analysed_or_rejected(
        seed in any::<Index>(),
        mutations in proptest::collection::vec(mutation(), 1..12),
    ) {
        let mut file = SEEDS[seed.index(SEEDS.len())].clone();
        mutations.iter().for_each(|(is_in_header, mutation)| apply(&mut file, *is_in_header, mutation));
        check(file)?;
    }

    #[test]
    fn random_content_after_a_signature_is_analysed_or_rejected(
        seed in any::<Index>(),
        kept in 4..200_usize,
        rest in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let file = &SEEDS[seed.index(SEEDS.len())];
        check([&file[..kept.min(file.len())], &rest].concat())?;
    }
}
