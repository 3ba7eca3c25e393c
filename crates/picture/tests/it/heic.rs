//! HEIC: colours, grids, orientation, transparency, and malicious files.

use picture::{Encoding, Format, Limits, PictureError, Pictures, make_variants};

use crate::heic_file::{Item, coded, file, heic, size};
use crate::photos::photo;
use crate::sample::*;

const TILES: [&str; 4] = ["tile-red", "tile-green", "tile-blue", "tile-yellow"];

/// A grid of four tiles of 64 × 64, cropped to `width` × `height`.
fn grid(width: u16, height: u16) -> Vec<Item> {
    let data = [&[0, 0, 1, 1][..], &width.to_be_bytes(), &height.to_be_bytes()].concat();
    let properties = vec![size(width.into(), height.into())];
    let references = vec![(b"dimg", vec![2, 3, 4, 5])];
    let mut items = vec![Item { kind: b"grid", data, properties, references }];
    items.extend(TILES.map(|tile| coded(tile, (64, 64))));
    items
}

fn code(bytes: &[u8]) -> &'static str {
    make(bytes).unwrap_err().code()
}

/// A pixel in each quarter of the largest JPEG, from the top left, close to the centre, where there is
/// no white bar.
fn quarters(pictures: &Pictures) -> [[u8; 4]; 4] {
    let variant = largest(pictures, Encoding::Jpeg);
    let [left, right] = [2, 3].map(|fifths| variant.width * fifths / 5);
    let [top, bottom] = [2, 3].map(|fifths| variant.height * fifths / 5);
    [(left, top), (right, top), (left, bottom), (right, bottom)].map(|(x, y)| pixel(variant, x, y))
}

const RED: [u8; 4] = [200, 30, 30, 255];
const GREEN: [u8; 4] = [30, 160, 60, 255];
const BLUE: [u8; 4] = [40, 60, 200, 255];
const YELLOW: [u8; 4] = [220, 200, 40, 255];

#[track_caller]
fn assert_quarters(bytes: &[u8], want: [[u8; 4]; 4]) {
    for (got, want) in quarters(&make(bytes).unwrap()).into_iter().zip(want) {
        assert_near(got, want, 6);
    }
}

#[test]
fn heic_of_each_colour_format_has_the_right_colours() {
    for name in ["plain", "444", "422", "bt709", "video-range", "bt2020-matrix", "deep"] {
        let pictures = make(&heic(name)).unwrap();
        assert_eq!((pictures.format, pictures.width, pictures.height), (Format::Heic, 200, 120), "{name}");
        for (got, want) in quarters(&pictures).into_iter().zip([RED, GREEN, BLUE, YELLOW]) {
            assert!(got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 6), "{name}: {got:?} is not {want:?}");
        }
    }
    let greys = [81, 110, 70, 188].map(|grey| [grey, grey, grey, 255]);
    assert_quarters(&heic("grey"), greys);
    // P3's red in sRGB.
    let p3 = quarters(&make(&heic("p3")).unwrap());
    assert!(p3[0][0] > 210 && p3[0][1] < 20, "{p3:?}");
}

/// The file has the primaries and the transfer function of HDR video (BT.2020, PQ).
#[test]
fn hdr_picture_is_compressed_to_the_range_of_srgb() {
    let [red, green, blue, yellow] = quarters(&make(&heic("pq")).unwrap());
    assert!(red[0] > 200 && red[1] < 60 && red[2] < 60, "{red:?}");
    assert!(green[1] > 100 && green[0] < 60, "{green:?}");
    assert!(blue[2] > 200 && blue[0] < 60, "{blue:?}");
    assert!(yellow[0] > 200 && yellow[1] > 150 && yellow[2] < 90, "{yellow:?}");
}

#[test]
fn icc_profile_overrides_nclx() {
    let mut item = coded("plain", (200, 120));
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    item.properties.push((b"colr", [b"prof", &p3[..]].concat(), false));
    let colours = quarters(&make(&file(&[item])).unwrap());
    assert!(colours[0][0] > 210 && colours[0][1] < 20, "{colours:?}");
}

#[test]
fn photo_as_heic_equals_photo_as_jpeg() {
    let variant = |bytes: &[u8]| rgba(largest(&make(bytes).unwrap(), Encoding::WebP));
    let difference = difference(&variant(&heic("고양이")), &variant(&photo("고양이.jpg")));
    assert!(difference < 3.0, "{difference}");
}

#[test]
fn transparent_heic_stays_transparent_in_webp() {
    let pictures = make(&heic("rgba")).unwrap();
    let webp = largest(&pictures, Encoding::WebP);
    for ((x, y), alpha) in [((50, 50), 255), ((150, 30), 128), ((150, 90), 0)] {
        assert!(pixel(webp, x, y)[3].abs_diff(alpha) <= 4, "{x} {y}");
    }
    assert_near(pixel(webp, 50, 50), RED, 8);
    assert_near(pixel(largest(&pictures, Encoding::Jpeg), 150, 90), [255; 4], 2);
}

#[test]
fn grid_of_any_size_is_assembled_from_its_tiles() {
    for (width, height) in [(128, 128), (101, 77), (66, 127)] {
        let pictures = make(&file(&grid(width, height))).unwrap();
        assert_eq!((pictures.width, pictures.height), (width.into(), height.into()));
        let variant = largest(&pictures, Encoding::Jpeg);
        let (right, bottom) = (u32::from(width) - 1, u32::from(height) - 1);
        for ((x, y), want) in [((0, 0), RED), ((right, 0), GREEN), ((0, bottom), BLUE), ((right, bottom), YELLOW)] {
            assert_near(pixel(variant, x, y), want, 12);
        }
    }
}

/// Some writers store pictures of an odd size in this way.
#[test]
fn single_tile_larger_than_the_picture_decodes() {
    let mut items = grid(63, 61);
    items.truncate(2);
    items[0].data[2..4].fill(0);
    items[0].references[0].1.truncate(1);
    let pictures = make(&file(&items)).unwrap();
    assert_eq!((pictures.width, pictures.height), (63, 61));
    assert_near(pixel(largest(&pictures, Encoding::Jpeg), 62, 60), RED, 6);
}

#[test]
fn orientation_is_that_of_the_container_and_not_of_exif() {
    let oriented = |properties: &[(&'static [u8; 4], u8)]| {
        let mut item = coded("plain", (200, 120));
        item.properties.extend(properties.iter().map(|&(name, value)| (name, vec![value], true)));
        file(&[item])
    };
    assert_quarters(&oriented(&[]), [RED, GREEN, BLUE, YELLOW]);
    // 90° counterclockwise.
    assert_quarters(&oriented(&[(b"irot", 1)]), [GREEN, YELLOW, RED, BLUE]);
    assert_quarters(&oriented(&[(b"irot", 2)]), [YELLOW, BLUE, GREEN, RED]);
    assert_quarters(&oriented(&[(b"irot", 3)]), [BLUE, RED, YELLOW, GREEN]);
    assert_quarters(&oriented(&[(b"imir", 0)]), [BLUE, YELLOW, RED, GREEN]);
    assert_quarters(&oriented(&[(b"imir", 1)]), [GREEN, RED, YELLOW, BLUE]);
    assert_quarters(&oriented(&[(b"irot", 1), (b"imir", 1)]), [YELLOW, GREEN, BLUE, RED]);
    let pictures = make(&oriented(&[(b"irot", 1)])).unwrap();
    assert_eq!((pictures.width, pictures.height), (120, 200));
    // The EXIF orientation is ignored.
    let mut items = vec![coded("plain", (200, 120))];
    let data = [&[0; 4][..], &exif(6)].concat();
    items.push(Item { kind: b"Exif", data, properties: vec![], references: vec![(b"cdsc", vec![1])] });
    assert_quarters(&file(&items), [RED, GREEN, BLUE, YELLOW]);
}

#[test]
fn clean_aperture_crops_the_picture() {
    let numbers = |numbers: [i32; 8]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let mut item = coded("plain", (200, 120));
    // The right half without one column.
    item.properties.push((b"clap", numbers([99, 1, 120, 1, 101, 2, 0, 1]), true));
    let pictures = make(&file(&[item.clone()])).unwrap();
    assert_eq!((pictures.width, pictures.height), (99, 120));
    assert_quarters(&file(&[item]), [GREEN, GREEN, YELLOW, YELLOW]);
}

#[test]
fn size_in_the_header_above_the_limit_or_other_than_coded_is_an_error() {
    let mut items = grid(128, 128);
    items[0].properties = vec![size(50_000, 50_000)];
    let expected = PictureError::TooManyPixels { width: 50_000, height: 50_000, max_pixels: 64_000_000 };
    assert_eq!(make(&file(&items)), Err(expected));
    let limits = Limits { max_pixels: 200 * 120 - 1, ..Limits::default() };
    assert_eq!(make_variants(&heic("plain"), &limits).unwrap_err().code(), "too_many_pixels");
    // The declared size differs from the coded size.
    for claimed in [(201, 120), (200, 121), (20, 20), (0, 120)] {
        assert_eq!(code(&file(&[coded("plain", claimed)])), "corrupt", "{claimed:?}");
    }
    assert_eq!(code(&file(&[coded("plain", (u32::MAX, u32::MAX))])), "too_many_pixels");
}

/// The decoder allocates memory by the size in the stream.
#[test]
fn damaged_parameter_sets_decode_or_fail_without_panic() {
    let mut item = coded("plain", (200, 120));
    let at = item.properties[0].1.windows(2).position(|unit| unit == [0x42, 0x01]).unwrap();
    // Changes each bit of the sequence parameter set.
    for offset in 2..30 {
        for bit in 0..8 {
            let mut damaged = item.clone();
            damaged.properties[0].1[at + offset] ^= 1 << bit;
            match make(&file(&[damaged])) {
                Ok(pictures) => assert_eq!((pictures.width, pictures.height), (200, 120)),
                Err(error) => assert!(!error.to_string().contains("panicked"), "{offset} {bit}: {error}"),
            }
        }
    }
    item.properties[0].1 = vec![0; 20];
    assert_eq!(code(&file(&[item])), "corrupt");
}

#[test]
fn inconsistent_grid_is_an_error() {
    let corrupt = |change: &dyn Fn(&mut Vec<Item>)| {
        let mut items = grid(128, 128);
        change(&mut items);
        assert_eq!(code(&file(&items)), "corrupt");
    };
    // Too few tiles, a larger grid, no tiles.
    corrupt(&|items| items[0].references[0].1.truncate(3));
    corrupt(&|items| items[0].data[2] = 255);
    corrupt(&|items| items[0].references.clear());
    // Tiles that do not cover the picture, or are outside of it.
    corrupt(&|items| items[0] = grid(129, 128).remove(0));
    corrupt(&|items| items[0] = grid(64, 128).remove(0));
    corrupt(&|items| {
        items[0] = grid(40, 40).remove(0);
        items[0].data[2..4].fill(0);
        items[0].references[0].1.truncate(1);
        items[1].properties[2] = size(400, 400);
    });
    // Tiles of different sizes and formats.
    corrupt(&|items| items[4] = coded("tile-red", (60, 64)));
    corrupt(&|items| items[1].properties[2] = size(0, 64));
    corrupt(&|items| items[2] = coded("grey", (64, 64)));
    // Nested grids could be arbitrarily deep.
    let mut items = grid(128, 128);
    items[2] = Item { references: vec![(b"dimg", vec![1])], ..items[0].clone() };
    assert_eq!(code(&file(&items)), "unsupported_format");
}

/// Thousands of tiles refer to the same few bytes.
#[test]
fn tiles_that_share_their_data_are_corrupt() {
    let mut items = grid(64 * 32, 64 * 32);
    items[0].data[2..4].fill(31);
    items[0].references[0].1 = vec![2; 1024];
    assert_eq!(make(&file(&items)), Err(PictureError::Corrupt("items that share too much data".into())));
    let mut items = grid(64 * 64, 64 * 64);
    items[0].data[2..4].fill(63);
    items[0].references[0].1 = vec![2; 4096];
    assert_eq!(code(&file(&items)), "corrupt");
}

/// The decoder would decode a repeated slice again.
#[test]
fn repeated_slice_is_ignored_and_missing_slice_is_corrupt() {
    let mut item = coded("plain", (200, 120));
    let slice = item.data.clone();
    item.data.extend(&slice);
    assert!(make(&file(&[item.clone()])).is_ok(), "data after the first picture is ignored");
    item.data.clear();
    assert_eq!(code(&file(&[item.clone()])), "corrupt");
    item.data = slice[..slice.len() - 1].to_vec();
    assert_eq!(code(&file(&[item])), "corrupt");
}

#[test]
fn heic_cut_at_any_byte_is_truncated_or_whole() {
    for file in [heic("plain"), heic("rgba"), file(&grid(101, 77))] {
        let whole = make(&file).unwrap();
        for length in 1..file.len() {
            match make(&file[..length]) {
                // The brand is at bytes 8 to 12.
                Err(error) if length < 12 => assert_eq!(error.code(), "unsupported_format", "{length}"),
                Err(error) => assert_eq!(error.code(), "truncated", "{length}"),
                Ok(pictures) => assert!(pictures == whole, "{length}"),
            }
        }
        assert_eq!(code(&file[..file.len() / 2]), "truncated");
    }
}

/// Phones append videos and their own data, whose boxes may be damaged.
#[test]
fn bytes_behind_the_boxes_are_ignored() {
    let behind: [&[u8]; 7] = [
        b"\n",
        b"\0",
        &[0; 4096],
        b"maker's text",
        b"\0\0\0\x08free",
        b"\xff\xff\xff\xffmpvd\0",
        b"\0\0\0\x09moov\0\0\0",
    ];
    for file in [heic("plain"), heic("rgba"), file(&grid(101, 77))] {
        let whole = make(&file);
        for behind in behind {
            assert!(make(&[&file[..], behind].concat()) == whole, "{behind:?}");
        }
    }
}

#[test]
fn file_with_the_general_brand_alone_decodes() {
    let mut bytes = file(&[coded("plain", (200, 120))]);
    bytes[8..24].copy_from_slice(b"mif1\0\0\0\0mif1miaf");
    assert_quarters(&bytes, [RED, GREEN, BLUE, YELLOW]);
    // The picture decides whether it can be decoded.
    let mut av1 = coded("plain", (200, 120));
    av1.kind = b"av01";
    let mut bytes = file(&[av1]);
    bytes[8..24].copy_from_slice(b"mif1\0\0\0\0mif1miaf");
    assert_eq!(code(&bytes), "unsupported_format");
}

#[test]
fn clean_aperture_before_or_after_a_rotation_crops_what_it_refers_to() {
    let numbers = |numbers: [i32; 8]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let cropped = |properties: &[(&'static [u8; 4], Vec<u8>)]| {
        let mut item = coded("plain", (200, 120));
        item.properties.extend(properties.iter().map(|(name, content)| (*name, content.clone(), true)));
        let pictures = make(&file(&[item])).unwrap();
        ((pictures.width, pictures.height), quarters(&pictures))
    };
    let near = |got: [[u8; 4]; 4], want: [[u8; 4]; 4]| {
        got.into_iter().zip(want).for_each(|(got, want)| assert_near(got, want, 6));
    };
    // The right half of the stored picture, then 90° counterclockwise.
    let right = numbers([100, 1, 120, 1, 50, 1, 0, 1]);
    let (size, colours) = cropped(&[(b"clap", right), (b"irot", vec![1])]);
    assert_eq!(size, (120, 100));
    near(colours, [GREEN, YELLOW, GREEN, YELLOW]);
    // First the rotation; the right half of the result is the lower half of the stored picture.
    let right = numbers([60, 1, 200, 1, 30, 1, 0, 1]);
    let (size, colours) = cropped(&[(b"irot", vec![1]), (b"clap", right)]);
    assert_eq!(size, (60, 200));
    near(colours, [YELLOW, YELLOW, BLUE, BLUE]);
}

#[test]
fn unknown_item_property_or_matrix_is_unsupported() {
    let unsupported = |change: &dyn Fn(&mut Item)| {
        let mut item = coded("plain", (200, 120));
        change(&mut item);
        assert_eq!(code(&file(&[item])), "unsupported_format");
    };
    unsupported(&|item| item.kind = b"av01");
    unsupported(&|item| item.kind = b"iovl");
    unsupported(&|item| item.properties.push((b"wild", vec![], true)));
    // The matrix of GBR, which lossless encoders use.
    unsupported(&|item| item.properties[1].1 = b"nclx\0\x01\0\x0d\0\0\x80".to_vec());
    let mut item = coded("plain", (200, 120));
    item.properties.push((b"wild", vec![], false));
    assert!(make(&file(&[item])).is_ok());
}
