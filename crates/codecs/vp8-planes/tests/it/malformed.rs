use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use vp8_planes::{Decoder, Error, Plane, Smoothing};

use crate::sample::{Picture, frame};

const SMALL: Picture = Picture { width: 70, height: 41, noise: 60, seed: 3 };

fn decode(data: &[u8]) -> Result<[Plane; 3], Error> {
    Decoder::new(data)?.decode(Smoothing::Exact)
}

#[test]
fn frame_cut_at_any_byte_is_truncated() {
    for partitions in 0..=3 {
        let data = frame(SMALL, |config| config.partitions(partitions));
        decode(&data).unwrap();
        // The encoder writes up to two bytes that a decoder does not read.
        for length in 0..data.len() - 2 {
            assert_eq!(decode(&data[..length]), Err(Error::Truncated), "{length} of {}", data.len());
        }
    }
}

#[test]
fn data_without_a_key_frame_is_an_error() {
    let data = frame(SMALL, |config| config);
    let with = |at: usize, value: u8| {
        let mut data = data.clone();
        data[at] = value;
        decode(&data)
    };
    assert_eq!(with(0, data[0] | 1), Err(Error::Corrupt("not a shown key frame")));
    assert_eq!(with(0, data[0] & !16), Err(Error::Corrupt("not a shown key frame")));
    assert_eq!(with(3, 0), Err(Error::Corrupt("no start code")));
    assert!(with(6, 0).is_err());
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
    fn damaged_frame_decodes_or_fails_without_panic(
        partitions in 0..=3_u8, filter in 0..=1_u8,
        damages in prop::collection::vec((any::<Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let mut data = frame(SMALL, |config| config.partitions(partitions).filter_type(filter));
        for (at, value, kind) in damages {
            let at = at.index(data.len());
            match kind {
                0 => data[at] = value,
                1 => data[at] ^= 1 << (value % 8),
                2 => drop(data.remove(at)),
                _ => data.insert(at, value),
            }
        }
        // A damaged header may claim any size. The caller must bound it.
        if let Ok(decoder) = Decoder::new(&data) {
            let (width, height) = decoder.size();
            if u32::from(width) * u32::from(height) <= 1_000_000 {
                for plane in decoder.decode(Smoothing::Exact).into_iter().flatten() {
                    prop_assert_eq!(plane.samples.len(), plane.width * plane.height);
                }
            }
        }
    }
}
