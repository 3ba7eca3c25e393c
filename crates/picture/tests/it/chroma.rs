//! The position of chroma in pictures of odd size, whose last samples lie half outside.

use picture::{Encoding, Variant};

use crate::sample::*;

/// Blue and red chroma (ITU-R BT.601) of a pixel.
fn chroma([r, g, b, _]: [u8; 4]) -> [f64; 2] {
    let [r, g, b] = [r, g, b].map(f64::from);
    [128.0 - 0.168_736 * r - 0.331_264 * g + 0.5 * b, 128.0 + 0.5 * r - 0.418_688 * g - 0.081_312 * b]
}

/// Colours that change along both directions, at constant brightness.
fn gradient(x: f64, y: f64) -> [f64; 3] {
    let (blue, red) = ((x * 5.0).sin() * 90.0, (y * 5.0).cos() * 90.0);
    [128.0 + 1.402 * red, 128.0 - 0.344_136 * blue - 0.714_136 * red, 128.0 + 1.772 * blue]
}

/// The peak signal-to-noise ratio of the chroma, in decibels.
fn chroma_psnr(variant: &Variant) -> f64 {
    let (width, height) = (f64::from(variant.width), f64::from(variant.height));
    let mut squares = 0.0;
    let pixels = rgba(variant);
    for (at, pixel) in (0_u32..).zip(&pixels) {
        let (x, y) = (f64::from(at % variant.width) + 0.5, f64::from(at / variant.width) + 0.5);
        let want = gradient(x / width, y / height).map(|value| value.round().clamp(0.0, 255.0) as u8);
        let want = chroma([want[0], want[1], want[2], 255]);
        squares += chroma(*pixel).iter().zip(want).map(|(got, want)| (got - want).powi(2)).sum::<f64>();
    }
    10.0 * (255.0_f64.powi(2) * 2.0 * pixels.len() as f64 / squares).log10()
}

fn picture(width: u32, height: u32) -> Vec<u8> {
    pixels(width, height, |x, y| {
        let at = gradient((f64::from(x) + 0.5) / f64::from(width), (f64::from(y) + 0.5) / f64::from(height));
        at.map(|value| value.round().clamp(0.0, 255.0) as u8)
    })
}

/// Odd sizes of originals and of variants, reduced or not.
#[test]
fn chroma_of_any_size_is_in_its_place() {
    use jpeg_encoder::SamplingFactor::*;
    for (width, height) in [(65, 65), (127, 64), (64, 127), (301, 201), (1023, 769), (1449, 1079), (2161, 1441)] {
        let rgb = picture(width, height);
        let mut files: Vec<_> = [R_4_4_4, R_4_2_2, R_4_4_0, R_4_2_0]
            .into_iter()
            .map(|sampling| {
                let file = jpeg(width, height, &rgb, jpeg_encoder::ColorType::Rgb, |encoder| {
                    encoder.set_sampling_factor(sampling);
                });
                (format!("{sampling:?}"), file)
            })
            .collect();
        files.push(("lossy WebP".into(), webp::Encoder::from_rgb(&rgb, width, height).encode(95.0).to_vec()));
        files.push(("PNG".into(), rgb_png(width, height, &rgb)));
        for (name, file) in files {
            for variant in make(&file).unwrap().variants.iter().filter(|variant| variant.encoding == Encoding::Jpeg) {
                let decibels = chroma_psnr(variant);
                println!("{name} {width} × {height} at {}: {decibels:.1} dB", variant.bound);
                // A shift by half a pixel costs 7 dB at 65 pixels. Of subsampled files, the encoder's own error is larger.
                let floor = if name.starts_with("R_4_4_4") || !name.starts_with("R_") { 44.0 } else { 38.0 };
                assert!(decibels > floor, "{name} {width} × {height} at {}: {decibels:.1} dB", variant.bound);
            }
        }
    }
}
