use image::DynamicImage;
use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout as IccLayout, MatrixCoefficients,
    TransferCharacteristics, TransformOptions,
};

use crate::hdr::Hdr;
use crate::pixels::samples_mut;

/// The colour space of a decoded picture.
pub(crate) enum ColourSpace {
    /// That of variants.
    Srgb,
    /// Described by the bytes of an ICC profile, which may be broken.
    Icc(Vec<u8>),
    /// Described by other metadata.
    Profile(Box<ColorProfile>),
    /// With brighter colours than a screen's white.
    Hdr(Box<Hdr>),
}

impl ColourSpace {
    /// The space with these primaries and this transfer function (ITU-T H.273). `None` if either is reserved or unspecified.
    pub fn by_code_points(primaries: u8, transfer: u8) -> Option<Self> {
        let color_primaries = CicpColorPrimaries::try_from(primaries).ok()?;
        let transfer_characteristics = TransferCharacteristics::try_from(transfer).ok()?;
        let (matrix_coefficients, full_range) = (MatrixCoefficients::Identity, true);
        let points = CicpProfile { color_primaries, transfer_characteristics, matrix_coefficients, full_range };
        let profile = ColorProfile::new_from_cicp(points);
        profile.red_trc.as_ref()?;
        Some(match (color_primaries, transfer_characteristics) {
            (CicpColorPrimaries::Bt709, TransferCharacteristics::Srgb) => Self::Srgb,
            (_, TransferCharacteristics::Smpte2084) => Self::Hdr(Box::new(Hdr::perceptual_quantiser(&profile))),
            (_, TransferCharacteristics::Hlg) => Self::Hdr(Box::new(Hdr::hybrid_log_gamma(&profile))),
            _ => Self::Profile(Box::new(profile)),
        })
    }

    /// The space of an embedded ICC profile, if there is one.
    pub fn by_icc(icc_profile: Option<Vec<u8>>) -> Self {
        icc_profile.map_or(Self::Srgb, Self::Icc)
    }

    /// Converts to sRGB, the colour space of variants.
    ///
    /// Phones embed Display P3; without conversion their photos would look dull. A profile that is
    /// broken or made for other channels is ignored, as in browsers.
    pub fn convert(&self, mut picture: DynamicImage) -> DynamicImage {
        let samples = match self {
            Self::Srgb => None,
            Self::Icc(icc_profile) => {
                ColorProfile::new_from_slice(icc_profile).ok().and_then(|profile| convert(&picture, &profile))
            }
            Self::Profile(profile) => convert(&picture, profile),
            Self::Hdr(hdr) => return hdr.to_srgb(picture),
        };
        if let Some(samples) = samples {
            samples_mut(&mut picture).copy_from_slice(&samples);
        }
        picture
    }

    /// Converts CMYK (255 is full ink) to sRGB. `None` without a profile for CMYK.
    pub fn convert_cmyk(&self, cmyk: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Icc(icc_profile) => cmyk_to_srgb(cmyk, icc_profile),
            _ => None,
        }
    }
}

/// The samples in sRGB. `None` if the profile is for other channels.
fn convert(picture: &DynamicImage, profile: &ColorProfile) -> Option<Vec<u8>> {
    let (samples, transparent) = (picture.as_bytes(), picture.color().has_alpha());
    let (channels, to) = if transparent { (4, IccLayout::Rgba) } else { (3, IccLayout::Rgb) };
    let transform =
        |from| profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default()).ok();
    let mut converted = vec![0; samples.len()];
    match profile.color_space {
        DataColorSpace::Rgb => transform(to)?.transform(samples, &mut converted).ok()?,
        DataColorSpace::Gray => {
            // A grey picture is stored as three equal channels, but its profile expects one.
            let is_grey = |p: &[u8]| p[0] == p[1] && p[1] == p[2];
            if !samples.chunks_exact(channels).all(is_grey) {
                return None;
            }
            let (from, keep): (_, &[usize]) =
                if transparent { (IccLayout::GrayAlpha, &[0, 3]) } else { (IccLayout::Gray, &[0]) };
            let grey: Vec<u8> =
                samples.chunks_exact(channels).flat_map(|pixel| keep.iter().map(|&i| pixel[i])).collect();
            transform(from)?.transform(&grey, &mut converted).ok()?
        }
        _ => return None,
    }
    Some(converted)
}

/// Converts CMYK (255 is full ink) to sRGB. `None` if the profile is broken or not for CMYK.
fn cmyk_to_srgb(cmyk: &[u8], icc_profile: &[u8]) -> Option<Vec<u8>> {
    let profile = ColorProfile::new_from_slice(icc_profile).ok()?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    // moxcms has no CMYK layout; RGBA stands for four channels.
    let transform = profile.create_transform_8bit(IccLayout::Rgba, &srgb, IccLayout::Rgb, options).ok()?;
    let mut pixels = vec![0; cmyk.len() / 4 * 3];
    transform.transform(cmyk, &mut pixels).ok()?;
    Some(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels;
    use crate::size::Size;

    fn rgb(samples: &[u8]) -> DynamicImage {
        pixels::rgb(Size::new(samples.len() as u32 / 3, 1), samples.to_vec()).unwrap().into()
    }

    fn rgba(samples: &[u8]) -> DynamicImage {
        pixels::rgba(Size::new(samples.len() as u32 / 4, 1), samples.to_vec()).unwrap().into()
    }

    fn to_srgb(picture: DynamicImage, icc_profile: &[u8]) -> DynamicImage {
        ColourSpace::Icc(icc_profile.to_vec()).convert(picture)
    }

    #[test]
    fn display_p3_is_converted_to_srgb() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        // By the matrices of both spaces, (200, 100, 50) in P3 is (214.9, 92.6, 31.0) in sRGB.
        let converted = to_srgb(rgb(&[200, 100, 50, 255, 255, 255]), &p3);
        let expected = [215, 93, 31, 255, 255, 255];
        for (got, want) in converted.as_bytes().iter().zip(expected) {
            assert!(got.abs_diff(want) <= 1, "{:?}", converted);
        }
    }

    #[test]
    fn code_points_are_converted_or_unknown() {
        let converted = |primaries, transfer| {
            let before = rgba(&[200, 100, 50, 7, 255, 255, 255, 255]);
            ColourSpace::by_code_points(primaries, transfer).map(|colours| colours.convert(before).into_bytes())
        };
        let near = |got: Option<Vec<u8>>, want: [u8; 8]| {
            let got = got.expect("known code points");
            assert!(got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 2), "{got:?} is not {want:?}");
        };
        // As in Chromium.
        near(converted(12, 13), [215, 93, 31, 7, 255, 255, 255, 255]);
        near(converted(1, 13), [200, 100, 50, 7, 255, 255, 255, 255]);
        near(converted(1, 8), [229, 168, 122, 7, 255, 255, 255, 255]);
        for (primaries, transfer) in [(2, 13), (1, 2), (0, 13), (1, 0), (255, 13), (1, 255)] {
            assert_eq!(converted(primaries, transfer), None, "{primaries} {transfer}");
        }
    }

    #[test]
    fn srgb_profile_keeps_colours_and_alpha() {
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        let before = rgba(&[200, 100, 50, 7, 1, 128, 255, 255]);
        let after = to_srgb(before.clone(), &srgb);
        for (a, b) in before.as_bytes().iter().zip(after.as_bytes()) {
            assert!(a.abs_diff(*b) <= 1, "{:?}", after);
        }
    }

    #[test]
    fn grey_profile_applies_to_grey_pictures_only() {
        let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let grey = to_srgb(rgb(&[55, 55, 55]), &linear);
        // 55/255 = 0.216 in linear light is 0.502 in sRGB.
        assert!(grey.as_bytes().iter().all(|v| v.abs_diff(128) <= 2), "{grey:?}");
        let coloured = rgb(&[55, 56, 57]);
        assert_eq!(to_srgb(coloured.clone(), &linear), coloured);
    }

    #[test]
    fn broken_profile_is_ignored() {
        let before = rgb(&[200, 100, 50]);
        let mut p3 = ColorProfile::new_display_p3().encode().unwrap();
        p3.truncate(200);
        assert_eq!(to_srgb(before.clone(), &p3), before);
        assert_eq!(to_srgb(before.clone(), b"junk"), before);
    }
}
