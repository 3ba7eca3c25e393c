//! The meter's results do not depend on the decoder's packet sizes.

use proptest::prelude::*;
use sound::Meter;

use crate::signals::noise;

/// Loud, quiet and clipped passages, for all paths through the meter.
fn signal(seed: u32, frames: usize) -> Vec<f32> {
    let shape = |(frame, value): (usize, f32)| match frame / 700 % 4 {
        0 => 0.0,
        1 => value * 0.05,
        2 => (value * 3.0).clamp(-1.0, 1.0),
        _ => value * 0.8,
    };
    noise(seed, frames).into_iter().enumerate().map(shape).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn results_do_not_depend_on_chunk_sizes(
        seed in any::<u32>(),
        rate_hz in prop_oneof![Just(8_000_u32), Just(11_025), Just(44_100), Just(96_000)],
        channels in 1..4_usize,
        frames in 0..20_000_usize,
        cuts in proptest::collection::vec(1..3_000_usize, 1..30),
    ) {
        let planes: Vec<_> = (0..channels).map(|channel| signal(seed.wrapping_add(channel as u32), frames)).collect();
        let weights = vec![1.0; channels];
        let mut whole = Meter::new(rate_hz, &weights, 16);
        whole.push(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>());

        let mut pieces = Meter::new(rate_hz, &weights, 16);
        let mut done = 0;
        for cut in cuts.into_iter().cycle() {
            let end = (done + cut).min(frames);
            pieces.push(&planes.iter().map(|plane| &plane[done..end]).collect::<Vec<_>>());
            done = end;
            if done == frames {
                break;
            }
        }
        prop_assert_eq!(pieces.frames(), frames as u64);
        prop_assert_eq!(whole.finish(), pieces.finish());
    }
}
