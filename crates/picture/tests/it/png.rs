//! PNGs of each kind.

use picture::Encoding;
use png::{BitDepth, ColorType as Png};

use crate::sample::*;

#[test]
fn png_of_16_bits_has_the_right_colours() {
    let sixteen = |values: &[u16]| -> Vec<u8> { values.iter().flat_map(|v| v.to_be_bytes()).collect() };
    // A ramp that would be nearly all white if it were clipped to 8 bits.
    let ramp = pixels(128, 16, |x, _| [x as u16 * 512]);
    let kind = (Png::Grayscale, BitDepth::Sixteen);
    let pictures = make(&png((128, 16), kind, &sixteen(&ramp), |_| {})).unwrap();
    for x in [1, 32, 64, 96, 126] {
        let grey = (x * 2) as u8;
        assert_pixel(&pictures, (x, 8), [grey, grey, grey, 255], 4);
    }

    let colour = [0x8000, 0x4000, 0xc0ff].repeat(400);
    let kind = (Png::Rgb, BitDepth::Sixteen);
    assert_flat(&png((20, 20), kind, &sixteen(&colour), |_| {}), [128, 64, 192], 3);

    let clear = [0x8000, 0x4000, 0xc0ff, 0x8000].repeat(400);
    let kind = (Png::Rgba, BitDepth::Sixteen);
    let pictures = make(&png((20, 20), kind, &sixteen(&clear), |_| {})).unwrap();
    assert_near(pixel(largest(&pictures, Encoding::WebP), 5, 5), [128, 64, 192, 128], 3);
    assert_near(pixel(largest(&pictures, Encoding::Jpeg), 5, 5), [191, 159, 223, 255], 3);
}

#[test]
fn png_of_up_to_8_bits_has_the_right_colours() {
    // Black on the left, white on the right.
    let row = [0x00, 0xff];
    let kind = (Png::Grayscale, BitDepth::One);
    let pictures = make(&png((16, 16), kind, &row.repeat(16), |_| {})).unwrap();
    assert_pixel(&pictures, (2, 8), [0, 0, 0, 255], 4);
    assert_pixel(&pictures, (13, 8), [255, 255, 255, 255], 4);

    let kind = (Png::Grayscale, BitDepth::Four);
    assert_flat(&png((20, 20), kind, &[0x88; 200], |_| {}), [136; 3], 2);
    let kind = (Png::Grayscale, BitDepth::Eight);
    assert_flat(&png((20, 20), kind, &[77; 400], |_| {}), [77; 3], 2);

    let palette = vec![1, 2, 3, 200, 100, 50];
    let kind = (Png::Indexed, BitDepth::One);
    let bytes = png((16, 16), kind, &[0xff; 32], |info| {
        info.palette = Some(palette.clone().into());
    });
    assert_flat(&bytes, [200, 100, 50], 3);
    // The same with a transparent entry.
    let bytes = png((16, 16), kind, &[0xff; 32], |info| {
        info.palette = Some(palette.clone().into());
        info.trns = Some(vec![255, 0].into());
    });
    let pictures = make(&bytes).unwrap();
    assert_eq!(pixel(largest(&pictures, Encoding::WebP), 5, 5)[3], 0);
    assert_near(pixel(largest(&pictures, Encoding::Jpeg), 5, 5), [255; 4], 1);
}

/// Large PNGs are scaled while their rows are decoded.
#[test]
fn large_png_of_each_kind_has_the_right_colours() {
    let size = (1400, 1700);
    // Brighter towards the right and the bottom.
    let grey = |x: u32, y: u32| ((x + y) / 14) as u8;
    let kinds: [(Png, BitDepth, Vec<u8>); 5] = [
        (Png::Grayscale, BitDepth::Eight, pixels(1400, 1700, |x, y| [grey(x, y)])),
        (Png::GrayscaleAlpha, BitDepth::Eight, pixels(1400, 1700, |x, y| [grey(x, y), 255])),
        (Png::Rgb, BitDepth::Eight, pixels(1400, 1700, |x, y| [grey(x, y); 3])),
        (Png::Rgba, BitDepth::Eight, pixels(1400, 1700, |x, y| [grey(x, y), grey(x, y), grey(x, y), 255])),
        (Png::Rgb, BitDepth::Sixteen, pixels(1400, 1700, |x, y| [grey(x, y); 6])),
    ];
    for (colour, depth, samples) in kinds {
        let pictures = make(&png(size, (colour, depth), &samples, |_| {})).unwrap();
        assert_eq!((pictures.width, pictures.height), size);
        let variant = largest(&pictures, Encoding::Jpeg);
        assert_eq!((variant.width, variant.height), (889, 1080));
        for (x, y) in [(3, 3), (880, 5), (5, 1075), (880, 1075), (444, 170), (444, 305), (444, 540), (444, 800)] {
            let scaled = |at: u32, from: u32, to: u32| (at * 2 + 1) * from / (2 * to);
            let want = grey(scaled(x, 1400, 889), scaled(y, 1700, 1080));
            assert_near(pixel(variant, x, y), [want, want, want, 255], 3);
        }
    }
}

/// (200, 100, 50) as Chromium shows it.
#[test]
fn colour_chunks_of_png_are_obeyed_as_by_browsers() {
    let plain = rgb_png(20, 20, &[200, 100, 50].repeat(400));
    let gamma = |gamma: u32| gamma.to_be_bytes().to_vec();
    let p3: Vec<u8> =
        [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000_u32].iter().flat_map(|v| v.to_be_bytes()).collect();
    type Chunks<'a> = &'a [(&'a [u8; 4], Vec<u8>)];
    let cases: [(Chunks<'_>, [u8; 3]); 11] = [
        (&[(b"cICP", vec![12, 13, 0, 1])], [215, 93, 31]),
        (&[(b"cICP", vec![9, 16, 0, 1])], [255, 0, 0]),
        (&[(b"cICP", vec![9, 18, 0, 1])], [230, 48, 17]),
        (&[(b"gAMA", gamma(100_000))], [229, 168, 122]),
        (&[(b"gAMA", gamma(55_556))], [210, 119, 65]),
        (&[(b"gAMA", gamma(45_455)), (b"cHRM", p3.clone())], [216, 93, 24]),
        // `sRGB` takes precedence over `gAMA`, and `cICP` over all.
        (&[(b"gAMA", gamma(100_000)), (b"sRGB", vec![0])], [200, 100, 50]),
        (&[(b"gAMA", gamma(100_000)), (b"sRGB", vec![0]), (b"cICP", vec![12, 13, 0, 1])], [215, 93, 31]),
        // Unspecified or reserved code points, and values that describe no colours, are ignored.
        (&[(b"cICP", vec![2, 2, 0, 1])], [200, 100, 50]),
        (&[(b"cHRM", vec![0; 32])], [200, 100, 50]),
        (&[(b"gAMA", gamma(1))], [200, 100, 50]),
    ];
    for (chunks, want) in cases {
        let bytes = chunks.iter().fold(plain.clone(), |bytes, (name, data)| with_chunk(&bytes, name, data));
        println!("{chunks:?}");
        assert_flat(&bytes, want, 5);
    }
}

#[test]
fn colour_chunks_apply_to_each_kind_of_png() {
    let linear = 100_000_u32.to_be_bytes();
    let grey = png((20, 20), (Png::Grayscale, BitDepth::Eight), &[55; 400], |_| {});
    assert_flat(&with_chunk(&grey, b"gAMA", &linear), [128; 3], 3);
    let clear = png((20, 20), (Png::Rgba, BitDepth::Eight), &[200, 100, 50, 128].repeat(400), |_| {});
    let pictures = make(&with_chunk(&clear, b"gAMA", &linear)).unwrap();
    assert_near(pixel(largest(&pictures, Encoding::WebP), 5, 5), [229, 168, 122, 128], 5);
    let large = rgb_png(1400, 1100, &[200, 100, 50].repeat(1400 * 1100));
    assert_flat(&with_chunk(&large, b"cICP", &[12, 13, 0, 1]), [215, 93, 31], 5);
}

#[test]
fn interlaced_png_equals_its_rows() {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(interlaced_png())).read_info().unwrap();
    let mut rgba = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.next_frame(&mut rgba).unwrap();
    let plain = png((37, 21), (Png::Rgba, BitDepth::Eight), &rgba, |_| {});
    assert!(make(&interlaced_png()) == make(&plain));
}
