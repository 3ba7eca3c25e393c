//! Converts HDR pictures to sRGB (ITU-R BT.2100).
//!
//! The result is that of Chromium on a screen without HDR: diffuse white has 203 cd/m² (ITU-R BT.2408), and brighter
//! colours are compressed by the curve (1 + ax) / (1 + x) of their brightest channel.

use image::DynamicImage;
use moxcms::ColorProfile;

use crate::pixels::samples_mut;

/// The luminance of diffuse white in cd/m².
const WHITE: f64 = 203.0;
/// The highest luminance of the perceptual quantiser in cd/m².
const PQ_PEAK: f64 = 10_000.0;
/// The luminance in cd/m² of the screen for which hybrid log-gamma pictures are graded.
const HLG_PEAK: f64 = 1000.0;
/// The exponent by which such a screen's luminance exceeds that of the scene, less one.
const HLG_SYSTEM_GAMMA: f64 = 0.2;

/// An HDR colour space.
pub(crate) struct Hdr {
    /// Linear light by sample. PQ: of the screen, relative to diffuse white. HLG: of the scene, up to 1.
    light: [f64; 256],
    is_scene: bool,
    /// The luminance of the primaries.
    luminance: [f64; 3],
    /// From linear light in this space to linear light in sRGB.
    to_srgb: [[f64; 3]; 3],
}

impl Hdr {
    /// With the transfer function PQ and the primaries of `profile`.
    pub fn perceptual_quantiser(profile: &ColorProfile) -> Self {
        let light = |signal: f64| {
            let root = signal.powf(1.0 / 78.84375);
            let ratio = (root - 0.8359375).max(0.0) / (18.8515625 - 18.6875 * root);
            ratio.powf(1.0 / 0.1593017578125) * PQ_PEAK / WHITE
        };
        Self::new(profile, light, false)
    }

    /// With the transfer function HLG and the primaries of `profile`.
    pub fn hybrid_log_gamma(profile: &ColorProfile) -> Self {
        let light = |signal: f64| {
            if signal <= 0.5 {
                signal * signal / 3.0
            } else {
                (((signal - 0.559_910_73) / 0.178_832_77).exp() + 0.284_668_92) / 12.0
            }
        };
        Self::new(profile, light, true)
    }

    fn new(profile: &ColorProfile, light: impl Fn(f64) -> f64, is_scene: bool) -> Self {
        let light = std::array::from_fn(|sample| light(sample as f64 / 255.0));
        let to_srgb = profile.transform_matrix(&ColorProfile::new_srgb()).v;
        Self { light, is_scene, luminance: profile.colorant_matrix().v[1], to_srgb }
    }

    /// Converts the colours; transparency stays.
    pub fn to_srgb(&self, mut picture: DynamicImage) -> DynamicImage {
        let channels = picture.color().channel_count().into();
        for pixel in samples_mut(&mut picture).chunks_exact_mut(channels) {
            let converted = self.pixel([pixel[0], pixel[1], pixel[2]]);
            pixel[..3].copy_from_slice(&converted);
        }
        picture
    }

    fn pixel(&self, samples: [u8; 3]) -> [u8; 3] {
        let mut light = samples.map(|sample| self.light[usize::from(sample)]);
        let dot = |weights: [f64; 3], light: [f64; 3]| weights.iter().zip(light).map(|(w, l)| w * l).sum::<f64>();
        if self.is_scene {
            let luminance = dot(self.luminance, light).max(0.0);
            let scale = luminance.powf(HLG_SYSTEM_GAMMA) * HLG_PEAK / WHITE;
            light = light.map(|light| light * scale);
        }
        let brightest = light.into_iter().fold(0.0, f64::max);
        let compression = (1.0 + (WHITE / PQ_PEAK).powi(2) * brightest) / (1.0 + brightest);
        let light = light.map(|light| light * compression);
        self.to_srgb.map(|weights| {
            let linear = dot(weights, light).clamp(0.0, 1.0);
            let signal = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
            (signal * 255.0).round() as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: [u8; 3], want: [u8; 3]) {
        assert!(got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 2), "{got:?} is not {want:?}");
    }

    #[test]
    fn hdr_colours_equal_those_of_chromium() {
        let bt2020 = ColorProfile::new_bt2020();
        near(Hdr::perceptual_quantiser(&bt2020).pixel([200, 100, 50]), [255, 0, 0]);
        near(Hdr::hybrid_log_gamma(&bt2020).pixel([200, 100, 50]), [230, 48, 17]);
    }

    #[test]
    fn hdr_greys_stay_grey_and_in_order() {
        let bt2020 = ColorProfile::new_bt2020();
        for hdr in [Hdr::perceptual_quantiser(&bt2020), Hdr::hybrid_log_gamma(&bt2020)] {
            let mut before = 0;
            for sample in 0..=255 {
                let [red, green, blue] = hdr.pixel([sample; 3]);
                near([red, green, blue], [green; 3]);
                assert!(green >= before, "{sample}");
                before = green;
            }
            assert_eq!(hdr.pixel([0; 3]), [0; 3]);
            assert!(before > 200, "{before}");
        }
    }
}
