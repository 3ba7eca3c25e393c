//! Malformed files give an analysis or an error, never a panic.

use std::{io::Cursor, sync::LazyLock};

use proptest::{prelude::*, sample::Index};
use sound::{Limits, SoundError, analyse};

use crate::signals::{Samples, fixture, flac_bomb, noise, wav};

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
    let mut seeds: Vec<_> = names.into_iter().map(fixture).collect();
    seeds.push(flac_bomb(2, 2, 1000));
    seeds.push(wav(8_000, 2, &Samples::F32(&noise(1, 4_000))));
    seeds
});

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
    let length = if is_in_header { file.len().min(700) } else { file.len() };
    match mutation {
        Mutation::Set(at, value) => file[at.index(length)] = *value,
        Mutation::Flip(at, bits) => file[at.index(length)] ^= bits,
        Mutation::Remove(at) => drop(file.remove(at.index(length))),
        Mutation::Insert(at, value) => file.insert(at.index(length), *value),
        Mutation::Truncate(at) => file.truncate(at.index(length)),
    }
}

fn check(file: Vec<u8>) -> Result<(), TestCaseError> {
    let limits = Limits { max_seconds: 30, max_samples: 4_000_000, ..Default::default() };
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, max_shrink_iters: 50, ..Default::default() })]

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
