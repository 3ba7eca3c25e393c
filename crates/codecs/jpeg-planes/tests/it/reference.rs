//! Compares decoded planes with jpeg-decoder. At reduced scales the expected result is computed from the full
//! picture by the definition of the cosine transform.

use jpeg_decoder::{ColorTransform, Decoder as Reference, PixelFormat};
use jpeg_encoder::ColorType;
use jpeg_planes::{Decoder, Plane, Planes, Scale};
use proptest::prelude::*;

use crate::sample::{Picture, SAMPLINGS, jpeg};

/// The planes according to jpeg-decoder. A subsampled chroma sample is the mean of the pixels that it covers.
pub fn reference(bytes: &[u8], (across, down): (usize, usize)) -> Planes {
    let mut decoder = Reference::new(bytes);
    decoder.read_info().unwrap();
    if decoder.info().unwrap().pixel_format == PixelFormat::RGB24 {
        decoder.set_color_transform(ColorTransform::RGB);
    }
    let samples = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    let channels = info.pixel_format.pixel_bytes();
    let plane = |channel: usize| {
        let (across, down) = if channel == 0 { (1, 1) } else { (across, down) };
        let (columns, rows) = (width.div_ceil(across), height.div_ceil(down));
        let at = |x: usize, y: usize| {
            let spread = (0..down).flat_map(|dy| (0..across).map(move |dx| (x * across + dx, y * down + dy)));
            let spread = spread.map(|(x, y)| (x.min(width - 1), y.min(height - 1)));
            let sum: u32 = spread.map(|(x, y)| u32::from(samples[(y * width + x) * channels + channel])).sum();
            ((sum as usize + across * down / 2) / (across * down)) as u8
        };
        let samples = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect();
        Plane { width: columns, height: rows, samples }
    };
    Planes { planes: (0..channels).map(plane).collect() }
}

fn cosine(x: usize, u: usize, n: usize) -> f64 {
    let norm = if u == 0 { 1.0 } else { 2.0_f64.sqrt() } / (n as f64).sqrt();
    norm * (((2 * x + 1) * u) as f64 * std::f64::consts::PI / (2 * n) as f64).cos()
}

/// The complete blocks at n/8: column, row and samples. Transforms forward with 8 × 8 and back with n × n.
fn scaled_blocks(full: &Plane, n: usize) -> Vec<(usize, usize, Vec<f64>)> {
    let mut blocks = Vec::new();
    for by in 0..full.height / 8 {
        for bx in 0..full.width / 8 {
            let sample = |x, y| f64::from(full.samples[(by * 8 + y) * full.width + bx * 8 + x]);
            let mut half = vec![0.0; n * 8];
            for u in 0..n {
                for y in 0..8 {
                    half[u * 8 + y] = (0..8).map(|x| sample(x, y) * cosine(x, u, 8)).sum();
                }
            }
            let mut coefficients = vec![0.0; n * n];
            for u in 0..n {
                for v in 0..n {
                    let sum: f64 = (0..8).map(|y| half[u * 8 + y] * cosine(y, v, 8)).sum();
                    coefficients[v * n + u] = sum * n as f64 / 8.0;
                }
            }
            let at = |x: usize, y: usize| -> f64 {
                let row = |v: usize| (0..n).map(|u| coefficients[v * n + u] * cosine(x, u, n)).sum::<f64>();
                (0..n).map(|v| row(v) * cosine(y, v, n)).sum()
            };
            blocks.push((bx, by, (0..n * n).map(|i| at(i % n, i / n)).collect()));
        }
    }
    blocks
}

#[derive(Debug)]
struct Differences {
    largest: f64,
    mean: f64,
    /// Number of samples.
    samples: f64,
}

impl Differences {
    /// Both sides are rounded, so that a sample may be off by 1. In the mean of many samples the error is smaller.
    fn are_within(&self, largest: f64, mean: f64) -> bool {
        self.largest <= largest && self.mean <= mean + 1.0 / self.samples.max(1.0)
    }
}

fn differences(got: &Plane, full: &Plane, n: usize) -> Differences {
    let (mut largest, mut sum, mut samples) = (0.0_f64, 0.0, 0.0);
    for (bx, by, block) in scaled_blocks(full, n) {
        for (i, want) in block.into_iter().enumerate() {
            let (x, y) = (bx * n + i % n, by * n + i / n);
            let difference = (f64::from(got.samples[y * got.width + x]) - want.clamp(0.0, 255.0)).abs();
            largest = largest.max(difference);
            sum += difference;
            samples += 1.0;
        }
    }
    Differences { largest, mean: if samples > 0.0 { sum / samples } else { 0.0 }, samples }
}

fn check(bytes: &[u8], factors: (usize, usize), luma: usize, chroma: usize) -> Result<(), TestCaseError> {
    let decoder = Decoder::new(bytes).unwrap();
    prop_assert_eq!(decoder.header().sampling.factors(), factors);
    let scales = [luma, chroma].map(|eighths| Scale::new(eighths).unwrap());
    let got = decoder.decode(scales[0], scales[1]).unwrap();
    let want = reference(bytes, factors);
    prop_assert_eq!(got.planes.len(), want.planes.len());
    let size = (usize::from(decoder.header().width), usize::from(decoder.header().height));
    for (channel, (got, want)) in got.planes.iter().zip(&want.planes).enumerate() {
        let n = if channel == 0 { luma } else { chroma };
        let (across, down) = if channel == 0 { (1, 1) } else { factors };
        prop_assert_eq!(got.width, (size.0 * n).div_ceil(8 * across));
        prop_assert_eq!(got.height, (size.1 * n).div_ceil(8 * down));
        prop_assert_eq!(got.samples.len(), got.width * got.height);
        let off = differences(got, want, n);
        // The reference interpolates subsampled chroma.
        let (largest, mean) = if (across, down) == (1, 1) { (6.0, 0.5) } else { (40.0, 3.0) };
        prop_assert!(off.are_within(largest, mean), "{} of {}/8: {:?}", channel, n, off);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn colour_file_at_any_scale_equals_the_reference(
        (width, height) in (1_u16..400, 1_u16..80), seed in any::<u32>(), noise in prop_oneof![Just(0_u8), 0..60_u8],
        quality in 40..=100_u8, sampling in 0..4_usize, luma in 1..9_usize, chroma in 1..9_usize,
        restart in prop_oneof![Just(0_u16), 1..40_u16], progressive in any::<bool>(),
    ) {
        let (factor, factors) = SAMPLINGS[sampling];
        let noise = if factors == (1, 1) { noise } else { 0 };
        let bytes = jpeg(Picture { width, height, noise, seed }, quality, ColorType::Ycbcr, |encoder| {
            encoder.set_sampling_factor(factor);
            encoder.set_restart_interval(restart);
            encoder.set_progressive(progressive);
        });
        check(&bytes, factors, luma, chroma)?;
    }

    #[test]
    fn grey_file_at_any_scale_equals_the_reference(
        (width, height) in (1_u16..400, 1_u16..80), seed in any::<u32>(), noise in 0..60_u8,
        quality in 40..=100_u8, luma in 1..9_usize, progressive in any::<bool>(),
    ) {
        let bytes = jpeg(Picture { width, height, noise, seed }, quality, ColorType::Luma, |encoder| {
            encoder.set_progressive(progressive);
        });
        check(&bytes, (1, 1), luma, 1)?;
    }
}

/// The files are longer than the decoder's window, and use the highest quality.
#[test]
fn large_file_at_highest_quality_equals_the_reference() {
    let picture = Picture { width: 1501, height: 1003, noise: 120, seed: 7 };
    for (factor, factors) in [SAMPLINGS[0], SAMPLINGS[3]] {
        let bytes = jpeg(picture, 100, ColorType::Ycbcr, |encoder| encoder.set_sampling_factor(factor));
        let decoder = Decoder::new(&bytes).unwrap();
        let want = reference(&bytes, factors);
        for n in [1, 3, 4, 8] {
            let scale = Scale::new(n).unwrap();
            let got = decoder.decode(scale, scale).unwrap();
            let off = differences(&got.planes[0], &want.planes[0], n);
            assert!(off.are_within(6.0, 0.5), "{n}/8: {off:?}");
        }
    }
}

/// The only sample lies between two integers, so that rounding alone makes the mean difference 0.5.
#[test]
fn single_sample_equals_the_reference() {
    let picture = Picture { width: 8, height: 8, noise: 0, seed: 0 };
    let (factor, factors) = SAMPLINGS[0];
    let bytes = jpeg(picture, 99, ColorType::Ycbcr, |encoder| encoder.set_sampling_factor(factor));
    check(&bytes, factors, 1, 1).unwrap();
}

/// Files from libjpeg-turbo and mozjpeg with refinement scans, dense and sparse, in the usual order and in an
/// optimised one. The encoder of the other tests writes no refinement scans.
#[test]
fn progressive_files_of_other_encoders_equal_the_reference() {
    let files = [
        (&include_bytes!("../files/progressive-420.jpg")[..], (2, 2)),
        (include_bytes!("../files/progressive-444-scans.jpg"), (1, 1)),
        (include_bytes!("../files/progressive-grey-restarts.jpg"), (1, 1)),
    ];
    for (bytes, factors) in files {
        assert!(Decoder::new(bytes).unwrap().header().progressive);
        for n in 1..=8 {
            check(bytes, factors, n, 9 - n).unwrap();
        }
    }
}
