//! Files that whole pictures of phones and common programs stand for. Each is shown as browsers and libraries show it.

use crate::sample::*;

/// Red, green, blue, yellow: the quarters of most cases, from the top left.
const QUARTERS: [[u8; 3]; 4] = [[220, 40, 40], [40, 180, 60], [40, 60, 210], [230, 210, 40]];

fn case(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/cases/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[track_caller]
fn assert_case(name: &str, size: (u32, u32), quarters: [[u8; 3]; 4]) {
    let pictures = make(&case(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((pictures.width, pictures.height), size, "{name}");
    let (width, height) = size;
    let centres = [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| (width * x / 4, height * y / 4));
    for (at, [r, g, b]) in centres.into_iter().zip(quarters) {
        assert_pixel(&pictures, at, [r, g, b, 255], 8);
    }
}

#[test]
fn case_with_missing_or_damaged_end_is_whole() {
    assert_case("02-jpeg-without-eoi.jpg", (160, 96), QUARTERS);
    assert_case("03-jpeg-zeros-for-eoi.jpg", (160, 96), QUARTERS);
    assert_case("20-gif-without-trailer.gif", (96, 64), QUARTERS);
    assert_case("21-gif-nul-before-trailer.gif", (96, 64), QUARTERS);
    assert_case("22-gif-second-frame-cut.gif", (96, 64), QUARTERS);
    assert_case("30-png-without-iend.png", (64, 48), QUARTERS);
    assert_case("31-png-zeros-for-iend.png", (64, 48), QUARTERS);
    assert_case("32-png-iend-bad-crc.png", (64, 48), QUARTERS);
    assert_case("33-apng-sequence-gap.png", (100, 100), [[220, 40, 40]; 4]);
    assert_case("34-apng-second-frame-cut.png", (100, 100), [[220, 40, 40]; 4]);
    if cfg!(feature = "heic") {
        assert_case("50-heic-with-trailer.heic", (128, 64), QUARTERS);
        assert_case("51-heic-newline-behind.heic", (128, 64), QUARTERS);
    }
}

#[test]
fn case_of_an_uncommon_jpeg_has_the_right_colours() {
    assert_case("01-cmyk-without-adobe.jpg", (64, 64), [[255, 55, 0]; 4]);
    assert_case("04-jpeg-without-huffman-tables.jpg", (160, 96), QUARTERS);
    assert_case("07-jpeg-comment-of-length-0.jpg", (160, 96), QUARTERS);
    let gradient = [[190, 191, 64], [61, 190, 64], [192, 64, 63], [63, 62, 192]];
    assert_case("08-jpeg-444-odd-size.jpg", (65, 65), gradient);
}

#[test]
fn case_of_an_uncommon_gif_has_the_size_of_its_frame() {
    assert_case("23-gif-frame-larger-than-screen.gif", (96, 64), QUARTERS);
    assert_case("24-gif-screen-of-0.gif", (96, 64), QUARTERS);
}

#[test]
fn case_with_unannounced_exif_is_not_turned() {
    assert_case("40-webp-exif-but-no-flag.webp", (96, 64), QUARTERS);
}
