//! The quantisation tables of T.81, annex K.1, in zigzag order, scaled by quality as in libjpeg.

const LUMA: [u8; 64] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
];

const CHROMA: [u8; 64] = [
    17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];

pub(super) fn luma(quality: u8) -> [u8; 64] {
    scaled(LUMA, quality)
}

pub(super) fn chroma(quality: u8) -> [u8; 64] {
    scaled(CHROMA, quality)
}

fn scaled(table: [u8; 64], quality: u8) -> [u8; 64] {
    let percent = match u32::from(quality.clamp(1, 100)) {
        quality @ ..50 => 5000 / quality,
        quality => 200 - 2 * quality,
    };
    table.map(|value| ((u32::from(value) * percent + 50) / 100).clamp(1, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_of_50_is_the_standard_table_and_100_is_all_ones() {
        assert_eq!(luma(50), LUMA);
        assert_eq!(chroma(100), [1; 64]);
        assert_eq!(luma(80)[..4], [6, 4, 5, 6]);
    }
}
