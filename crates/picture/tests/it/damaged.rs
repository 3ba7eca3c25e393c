//! Randomly damaged files. The result is a picture or an error, never a panic.

use std::sync::LazyLock;

use picture::{Limits, PictureError, make_variants};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

use crate::photos::photo;
use crate::sample::*;

/// Real files and small files of each kind.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let icc = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let clear = pixels(WIDTH, HEIGHT, |x, y| [200, 30, x as u8, y as u8]);
    let indexed = pixels(WIDTH, HEIGHT, |x, _| [(x / 50) as u8]);
    let frame = gif::Frame::from_indexed_pixels(WIDTH as u16, HEIGHT as u16, indexed, Some(2));
    let config = webp::WebPConfig::new().unwrap();
    let mut animation = webp::AnimEncoder::new(WIDTH, HEIGHT, &config);
    animation.add_frame(webp::AnimFrame::from_rgba(&clear, WIDTH, HEIGHT, 0));
    let seeds = vec![
        photo("고양이.jpg"),
        pattern_jpeg(|encoder| {
            encoder.add_exif_metadata(&exif(6)).unwrap();
            encoder.add_icc_profile(&icc).unwrap();
            encoder.set_progressive(true);
            encoder.set_restart_interval(5);
        }),
        rgb_png(WIDTH, HEIGHT, &pattern_pixels()),
        webp::Encoder::from_rgb(&pattern_pixels(), WIDTH, HEIGHT).encode(80.0).to_vec(),
        webp::Encoder::from_rgba(&clear, WIDTH, HEIGHT).encode(80.0).to_vec(),
        webp((WIDTH, HEIGHT), image_webp::ColorType::Rgba8, &clear, |encoder| {
            encoder.set_icc_profile(icc.clone());
            encoder.set_exif_metadata(exif(3));
        }),
        animation.encode().to_vec(),
        gif((WIDTH as u16, HEIGHT as u16), &[frame.clone(), frame]),
    ];
    #[cfg(feature = "heic")]
    let seeds = [seeds, ["plain", "rgba", "deep"].map(crate::heic_file::heic).into()].concat();
    seeds
});

/// A change of the bytes at a position.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Copy(Index, Index, u8),
    Cut(Index),
}

/// A damage, and whether it is in the first 600 bytes.
fn damage() -> impl Strategy<Value = (bool, Damage)> {
    let at = any::<Index>;
    let kinds = prop_oneof![
        4 => (at(), prop_oneof![Just(0), Just(0xff), any::<u8>()])
            .prop_map(|(at, value)| Damage::Set(at, value)),
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        1 => at().prop_map(Damage::Remove),
        1 => (at(), any::<u8>()).prop_map(|(at, value)| Damage::Insert(at, value)),
        1 => (at(), at(), 1..40_u8).prop_map(|(from, to, length)| Damage::Copy(from, to, length)),
        1 => at().prop_map(Damage::Cut),
    ];
    (any::<bool>(), kinds)
}

fn apply(bytes: &mut Vec<u8>, in_header: bool, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let span = if in_header { bytes.len().min(600) } else { bytes.len() };
    match damage {
        Damage::Set(at, value) => bytes[at.index(span)] = *value,
        Damage::Flip(at, bit) => bytes[at.index(span)] ^= bit,
        Damage::Remove(at) => drop(bytes.remove(at.index(span))),
        Damage::Insert(at, value) => bytes.insert(at.index(span), *value),
        Damage::Copy(from, to, length) => {
            let from = from.index(bytes.len());
            let end = bytes.len().min(from + usize::from(*length));
            let copy = bytes[from..end].to_vec();
            let to = to.index(span);
            bytes.splice(to..to, copy);
        }
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
    }
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let limits = Limits { max_pixels: 1_000_000, max_baseline_jpeg_pixels: 1_000_000 };
    match make_variants(bytes, &limits) {
        Ok(pictures) => {
            prop_assert!(u64::from(pictures.width) * u64::from(pictures.height) <= 1_000_000);
            prop_assert!(!pictures.variants.is_empty());
        }
        Err(PictureError::Internal(reason)) => prop_assert!(false, "{}", reason),
        // Panics of decoders are caught, but no known file may cause one.
        Err(error) => prop_assert!(!error.to_string().contains("panicked"), "{}", error),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        // The same files each time; the fuzz targets look for others.
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_file_decodes_or_fails_without_panic(seed in any::<Index>(), damages in prop::collection::vec(damage(), 1..6)) {
        let mut bytes = seed.get(&SEEDS).clone();
        for (in_header, damage) in &damages {
            apply(&mut bytes, *in_header, damage);
        }
        // Without a correct size in the container, most files would fail at that check.
        if bytes.starts_with(b"RIFF") && bytes.len() >= 8 {
            let size = (bytes.len() as u32 - 8).to_le_bytes();
            bytes[4..8].copy_from_slice(&size);
        }
        check(&bytes)?;
    }

    #[test]
    fn noise_after_a_signature_fails_without_panic(seed in any::<Index>(), noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = seed.get(&SEEDS)[..20].to_vec();
        bytes.extend(noise);
        check(&bytes)?;
    }
}
