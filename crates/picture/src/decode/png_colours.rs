//! The colour space of a PNG (PNG, third edition, section 4.3).

use moxcms::{Chromaticity, ColorPrimaries, ColorProfile, ToneReprCurve};
use png::{Info, ScaledFloat, SourceChromaticities};

use crate::colour::ColourSpace;

/// The colour space by the chunk that takes precedence: `cICP`, `iCCP`, `sRGB`, then `cHRM` and `gAMA`.
pub(super) fn colours(info: &Info<'_>) -> ColourSpace {
    let code_points = info.coding_independent_code_points.filter(|points| points.is_video_full_range_image);
    let by_code_points =
        code_points.and_then(|points| ColourSpace::by_code_points(points.color_primaries, points.transfer_function));
    if let Some(colours) = by_code_points {
        return colours;
    }
    match (&info.icc_profile, info.srgb, info.chrm_chunk, info.gama_chunk) {
        (Some(icc_profile), ..) => ColourSpace::Icc(icc_profile.to_vec()),
        (None, None, chromaticities, gamma) if chromaticities.is_some() || gamma.is_some() => {
            by_chromaticities(chromaticities, gamma).unwrap_or(ColourSpace::Srgb)
        }
        _ => ColourSpace::Srgb,
    }
}

/// Missing chromaticities, or a missing gamma, are those of sRGB. `None` for values that describe no colours.
fn by_chromaticities(chromaticities: Option<SourceChromaticities>, gamma: Option<ScaledFloat>) -> Option<ColourSpace> {
    let mut profile = ColorProfile::new_srgb();
    // The description of sRGB would take precedence.
    profile.cicp = None;
    if let Some(SourceChromaticities { white, red, green, blue }) = chromaticities {
        let point = |(x, y): (ScaledFloat, ScaledFloat)| Chromaticity::new(x.into_value(), y.into_value());
        let [white, red, green, blue] = [white, red, green, blue].map(point);
        if [white, red, green, blue].iter().any(|point| point.y <= 0.0) {
            return None;
        }
        profile.update_rgb_colorimetry(white.to_xyyb(), ColorPrimaries { red, green, blue });
        let matrix = profile.colorant_matrix();
        if !matrix.determinant().is_some_and(|determinant| determinant.is_finite() && determinant.abs() > 1e-6) {
            return None;
        }
    }
    if let Some(gamma) = gamma {
        let exponent = 1.0 / gamma.into_value();
        if !(0.1..=10.0).contains(&exponent) {
            return None;
        }
        let curve = ToneReprCurve::Parametric(vec![exponent]);
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
    }
    Some(ColourSpace::Profile(Box::new(profile)))
}
