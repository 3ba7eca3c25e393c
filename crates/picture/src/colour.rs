use moxcms::{ColorProfile, DataColorSpace, Layout as IccLayout, TransformOptions};

use crate::raster::{Layout, Raster};

/// Converts from the embedded profile to sRGB, the colour space of variants.
///
/// Phones embed Display P3; without conversion their photos would look dull. A profile that is
/// broken or made for other channels is ignored, as in browsers.
pub(crate) fn to_srgb(raster: Raster, icc_profile: &[u8]) -> Raster {
    match convert(&raster, icc_profile) {
        Some(pixels) => Raster { pixels, ..raster },
        None => raster,
    }
}

fn convert(raster: &Raster, icc_profile: &[u8]) -> Option<Vec<u8>> {
    let profile = ColorProfile::new_from_slice(icc_profile).ok()?;
    let to = match raster.layout {
        Layout::Rgb => IccLayout::Rgb,
        Layout::Rgba => IccLayout::Rgba,
    };
    let transform =
        |from| profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default()).ok();
    let mut pixels = vec![0; raster.pixels.len()];
    match profile.color_space {
        DataColorSpace::Rgb => transform(to)?.transform(&raster.pixels, &mut pixels).ok()?,
        DataColorSpace::Gray => {
            // A grey picture is stored as three equal channels, but its profile expects one.
            let channels = raster.layout.channels();
            let is_grey = |p: &[u8]| p[0] == p[1] && p[1] == p[2];
            if !raster.pixels.chunks_exact(channels).all(is_grey) {
                return None;
            }
            let (from, keep): (_, &[usize]) = match raster.layout {
                Layout::Rgb => (IccLayout::Gray, &[0]),
                Layout::Rgba => (IccLayout::GrayAlpha, &[0, 3]),
            };
            let grey: Vec<u8> =
                raster.pixels.chunks_exact(channels).flat_map(|pixel| keep.iter().map(|&i| pixel[i])).collect();
            transform(from)?.transform(&grey, &mut pixels).ok()?
        }
        _ => return None,
    }
    Some(pixels)
}

/// Converts CMYK (255 is full ink) to sRGB. `None` if the profile is broken or not for CMYK.
pub(crate) fn cmyk_to_srgb(cmyk: &[u8], icc_profile: &[u8]) -> Option<Vec<u8>> {
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
    use crate::size::Size;

    fn raster(layout: Layout, pixels: &[u8]) -> Raster {
        Raster { size: Size::new((pixels.len() / layout.channels()) as u32, 1), layout, pixels: pixels.to_vec() }
    }

    #[test]
    fn display_p3_is_converted_to_srgb() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        // By the matrices of both spaces, (200, 100, 50) in P3 is (214.9, 92.6, 31.0) in sRGB.
        let converted = to_srgb(raster(Layout::Rgb, &[200, 100, 50, 255, 255, 255]), &p3);
        let expected = [215, 93, 31, 255, 255, 255];
        for (got, want) in converted.pixels.iter().zip(expected) {
            assert!(got.abs_diff(want) <= 1, "{:?}", converted.pixels);
        }
    }

    #[test]
    fn srgb_profile_keeps_colours_and_alpha() {
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        let before = raster(Layout::Rgba, &[200, 100, 50, 7, 1, 128, 255, 255]);
        let after = to_srgb(before.clone(), &srgb);
        for (a, b) in before.pixels.iter().zip(&after.pixels) {
            assert!(a.abs_diff(*b) <= 1, "{:?}", after.pixels);
        }
    }

    #[test]
    fn grey_profile_applies_to_grey_pictures_only() {
        let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let grey = to_srgb(raster(Layout::Rgb, &[55, 55, 55]), &linear);
        // 55/255 = 0.216 in linear light is 0.502 in sRGB.
        assert!(grey.pixels.iter().all(|v| v.abs_diff(128) <= 2), "{grey:?}");
        let coloured = raster(Layout::Rgb, &[55, 56, 57]);
        assert_eq!(to_srgb(coloured.clone(), &linear), coloured);
    }

    #[test]
    fn broken_profile_is_ignored() {
        let before = raster(Layout::Rgb, &[200, 100, 50]);
        let mut p3 = ColorProfile::new_display_p3().encode().unwrap();
        p3.truncate(200);
        assert_eq!(to_srgb(before.clone(), &p3), before);
        assert_eq!(to_srgb(before.clone(), b"junk"), before);
    }
}
