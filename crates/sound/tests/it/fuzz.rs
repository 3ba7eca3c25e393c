//! Damaged files: whatever happens, it is an analysis or a typed error, never a panic.

use std::{io::Cursor, sync::LazyLock};

use proptest::{prelude::*, sample::Index};
use sound::{Limits, SoundError, analyse};

use crate::synth::{Samples, fixture, flac_bomb, noise, wav};

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

/// One damage: where (in the header half of the time), and what.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = (bool, Damage)> {
    let at = any::<Index>;
    let kinds = prop_oneof![
        4 => (at(), prop_oneof![Just(0), Just(0xff), any::<u8>()]).prop_map(|(at, value)| Damage::Set(at, value)),
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        1 => at().prop_map(Damage::Remove),
        1 => (at(), any::<u8>()).prop_map(|(at, value)| Damage::Insert(at, value)),
        1 => at().prop_map(Damage::Cut),
    ];
    (any::<bool>(), kinds)
}

fn apply(file: &mut Vec<u8>, header: bool, damage: &Damage) {
    if file.is_empty() {
        return;
    }
    let length = if header { file.len().min(700) } else { file.len() };
    match damage {
        Damage::Set(at, value) => file[at.index(length)] = *value,
        Damage::Flip(at, bits) => file[at.index(length)] ^= bits,
        Damage::Remove(at) => drop(file.remove(at.index(length))),
        Damage::Insert(at, value) => file.insert(at.index(length), *value),
        Damage::Cut(at) => file.truncate(at.index(length)),
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
    fn damaged_files_do_no_harm(
        seed in any::<Index>(),
        damages in proptest::collection::vec(damage(), 1..12),
    ) {
        let mut file = SEEDS[seed.index(SEEDS.len())].clone();
        damages.iter().for_each(|(header, damage)| apply(&mut file, *header, damage));
        check(file)?;
    }

    #[test]
    fn anything_behind_a_signature_does_no_harm(
        seed in any::<Index>(),
        kept in 4..200_usize,
        rest in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let file = &SEEDS[seed.index(SEEDS.len())];
        check([&file[..kept.min(file.len())], &rest].concat())?;
    }
}
