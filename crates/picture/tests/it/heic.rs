//! HEIC: what its colours mean, grids, turns, transparency, and files made to cost more than they should.

use picture::{Encoding, Format, Limits, PictureError, Pictures, make_variants};

use crate::photos::photo;
use crate::sample::*;

pub fn heic(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/heic");
    std::fs::read(format!("{folder}/{name}.heic")).unwrap()
}

/// A property: its name, its content, and whether it is essential.
type Property = (&'static [u8; 4], Vec<u8>, bool);

/// An item of a file. Items are numbered from 1.
#[derive(Clone)]
struct Item {
    kind: &'static [u8; 4],
    data: Vec<u8>,
    properties: Vec<Property>,
    references: Vec<(&'static [u8; 4], Vec<u16>)>,
}

fn named(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat()
}

fn full(name: &[u8; 4], version: u8, content: &[u8]) -> Vec<u8> {
    named(name, &[&[version, 0, 0, 0], content].concat())
}

/// The content of the first box of this name that is found.
fn content<'a>(file: &'a [u8], name: &[u8; 4]) -> &'a [u8] {
    let at = file.windows(4).position(|window| window == name).unwrap();
    let length = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
    &file[at + 4..at - 4 + length]
}

fn size(width: u32, height: u32) -> Property {
    (b"ispe", [[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat(), false)
}

/// The coded picture of a file that has one.
fn coded(name: &str, (width, height): (u32, u32)) -> Item {
    let file = heic(name);
    let colour = content(&file, b"colr").to_vec();
    let properties =
        vec![(b"hvcC", content(&file, b"hvcC").to_vec(), true), (b"colr", colour, false), size(width, height)];
    Item { kind: b"hvc1", data: content(&file, b"mdat").to_vec(), properties, references: vec![] }
}

/// A file whose first item is the picture.
fn file(items: &[Item]) -> Vec<u8> {
    let number = |number: usize| (number as u16).to_be_bytes();
    let (mut kinds, mut references) = (number(items.len()).to_vec(), vec![]);
    let (mut properties, mut associations, mut count) = (vec![], (items.len() as u32).to_be_bytes().to_vec(), 0);
    for (id, item) in (1..).zip(items) {
        kinds.extend(full(b"infe", 2, &[&number(id)[..], &[0, 0], item.kind, &[0]].concat()));
        associations.extend([&number(id)[..], &[item.properties.len() as u8]].concat());
        for (name, content, essential) in &item.properties {
            properties.extend(named(name, content));
            count += 1;
            associations.extend((count | u16::from(*essential) << 15).to_be_bytes());
        }
        for (kind, to) in &item.references {
            let to: Vec<u8> = to.iter().flat_map(|to| to.to_be_bytes()).collect();
            references.extend(named(kind, &[&number(id)[..], &number(to.len() / 2), &to].concat()));
        }
    }
    let mut long = full(b"ipma", 0, &associations);
    long[11] = 1; // indices of 15 bits
    let properties = named(b"iprp", &[named(b"ipco", &properties), long].concat());
    let head = named(b"ftyp", b"heic\0\0\0\0mif1heic");
    let meta = |start: usize| {
        let (mut locations, mut at) = ([&[0x44, 0][..], &number(items.len())].concat(), start);
        for (id, item) in (1..).zip(items) {
            locations.extend([&number(id)[..], &[0; 2], &number(1)].concat());
            locations.extend([(at as u32).to_be_bytes(), (item.data.len() as u32).to_be_bytes()].concat());
            at += item.data.len();
        }
        let boxes = [
            full(b"hdlr", 0, b"\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            full(b"pitm", 0, &number(1)),
            full(b"iinf", 0, &kinds),
            full(b"iref", 0, &references),
            properties.clone(),
            full(b"iloc", 0, &locations),
        ];
        full(b"meta", 0, &boxes.concat())
    };
    let start = head.len() + meta(0).len() + 8;
    let data: Vec<u8> = items.iter().flat_map(|item| item.data.clone()).collect();
    [head, meta(start), named(b"mdat", &data)].concat()
}

const TILES: [&str; 4] = ["tile-red", "tile-green", "tile-blue", "tile-yellow"];

/// A grid of four tiles of 64 × 64, cut to `width` × `height`.
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

/// The four quarters of what is shown, from the top left, as JPEG; not far from the middle, where
/// there is no white bar.
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
fn colours_are_those_that_were_meant() {
    for name in ["plain", "444", "422", "bt709", "video-range", "bt2020-matrix", "deep"] {
        let pictures = make(&heic(name)).unwrap();
        assert_eq!((pictures.format, pictures.width, pictures.height), (Format::Heic, 200, 120), "{name}");
        for (got, want) in quarters(&pictures).into_iter().zip([RED, GREEN, BLUE, YELLOW]) {
            assert!(got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 6), "{name}: {got:?} is not {want:?}");
        }
    }
    let greys = [81, 110, 70, 188].map(|grey| [grey, grey, grey, 255]);
    assert_quarters(&heic("grey"), greys);
    // P3's colours in sRGB, by the matrices of both.
    let p3 = quarters(&make(&heic("p3")).unwrap());
    assert!(p3[0][0] > 210 && p3[0][1] < 20, "{p3:?}");
}

#[test]
fn brightness_of_hdr_is_not_taken_for_another() {
    assert_eq!(code(&heic("pq")), "unsupported_format");
}

#[test]
fn a_profile_goes_before_the_numbers() {
    let mut item = coded("plain", (200, 120));
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    item.properties.push((b"colr", [b"prof", &p3[..]].concat(), false));
    let shown = quarters(&make(&file(&[item])).unwrap());
    assert!(shown[0][0] > 210 && shown[0][1] < 20, "{shown:?}");
}

#[test]
fn a_photograph_is_the_same_as_from_jpeg() {
    let of = |bytes: &[u8]| rgba(largest(&make(bytes).unwrap(), Encoding::WebP));
    let difference = difference(&of(&heic("고양이")), &of(&photo("고양이.jpg")));
    assert!(difference < 3.0, "{difference}");
}

#[test]
fn transparency_is_kept() {
    let pictures = make(&heic("rgba")).unwrap();
    let webp = largest(&pictures, Encoding::WebP);
    for ((x, y), alpha) in [((50, 50), 255), ((150, 30), 128), ((150, 90), 0)] {
        assert!(pixel(webp, x, y)[3].abs_diff(alpha) <= 4, "{x} {y}");
    }
    assert_near(pixel(webp, 50, 50), RED, 8);
    assert_near(pixel(largest(&pictures, Encoding::Jpeg), 150, 90), [255; 4], 2);
}

#[test]
fn tiles_make_a_picture() {
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

/// As pictures of an odd size are written.
#[test]
fn a_single_tile_may_be_larger_than_the_picture() {
    let mut items = grid(63, 61);
    items.truncate(2);
    items[0].data[2..4].fill(0);
    items[0].references[0].1.truncate(1);
    let pictures = make(&file(&items)).unwrap();
    assert_eq!((pictures.width, pictures.height), (63, 61));
    assert_near(pixel(largest(&pictures, Encoding::Jpeg), 62, 60), RED, 6);
}

#[test]
fn turned_and_mirrored_by_the_container_alone() {
    let turned = |properties: &[(&'static [u8; 4], u8)]| {
        let mut item = coded("plain", (200, 120));
        item.properties.extend(properties.iter().map(|&(name, value)| (name, vec![value], true)));
        file(&[item])
    };
    assert_quarters(&turned(&[]), [RED, GREEN, BLUE, YELLOW]);
    // A quarter to the left.
    assert_quarters(&turned(&[(b"irot", 1)]), [GREEN, YELLOW, RED, BLUE]);
    assert_quarters(&turned(&[(b"irot", 2)]), [YELLOW, BLUE, GREEN, RED]);
    assert_quarters(&turned(&[(b"irot", 3)]), [BLUE, RED, YELLOW, GREEN]);
    assert_quarters(&turned(&[(b"imir", 0)]), [BLUE, YELLOW, RED, GREEN]);
    assert_quarters(&turned(&[(b"imir", 1)]), [GREEN, RED, YELLOW, BLUE]);
    assert_quarters(&turned(&[(b"irot", 1), (b"imir", 1)]), [YELLOW, GREEN, BLUE, RED]);
    let pictures = make(&turned(&[(b"irot", 1)])).unwrap();
    assert_eq!((pictures.width, pictures.height), (120, 200));
    // What EXIF says of it has been done already.
    let mut items = vec![coded("plain", (200, 120))];
    let data = [&[0; 4][..], &exif(6)].concat();
    items.push(Item { kind: b"Exif", data, properties: vec![], references: vec![(b"cdsc", vec![1])] });
    assert_quarters(&file(&items), [RED, GREEN, BLUE, YELLOW]);
}

#[test]
fn an_aperture_cuts() {
    let numbers = |numbers: [i32; 8]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let mut item = coded("plain", (200, 120));
    // The right half, less a pixel.
    item.properties.push((b"clap", numbers([99, 1, 120, 1, 101, 2, 0, 1]), true));
    let pictures = make(&file(&[item.clone()])).unwrap();
    assert_eq!((pictures.width, pictures.height), (99, 120));
    assert_quarters(&file(&[item]), [GREEN, GREEN, YELLOW, YELLOW]);
}

#[test]
fn sizes_are_refused_from_the_header() {
    let mut items = grid(128, 128);
    items[0].properties = vec![size(50_000, 50_000)];
    let expected = PictureError::TooManyPixels { width: 50_000, height: 50_000, max_pixels: 64_000_000 };
    assert_eq!(make(&file(&items)), Err(expected));
    let limits = Limits { max_pixels: 200 * 120 - 1 };
    assert_eq!(make_variants(&heic("plain"), &limits).unwrap_err().code(), "too_many_pixels");
    // Of two sizes: what is coded, and what is said of it.
    for claimed in [(201, 120), (200, 121), (20, 20), (0, 120)] {
        assert_eq!(code(&file(&[coded("plain", claimed)])), "corrupt", "{claimed:?}");
    }
    assert_eq!(code(&file(&[coded("plain", (u32::MAX, u32::MAX))])), "too_many_pixels");
}

/// The stream's own size is what the decoder would allocate by.
#[test]
fn a_stream_that_claims_more_than_the_container_is_refused() {
    let mut item = coded("plain", (200, 120));
    let at = item.properties[0].1.windows(2).position(|unit| unit == [0x42, 0x01]).unwrap();
    // Whatever the sequence's parameters become: refused, and nothing of that size is allocated.
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
fn grids_are_what_they_say() {
    let corrupt = |change: &dyn Fn(&mut Vec<Item>)| {
        let mut items = grid(128, 128);
        change(&mut items);
        assert_eq!(code(&file(&items)), "corrupt");
    };
    // Tiles too few, too many by the grid's own word, or none.
    corrupt(&|items| items[0].references[0].1.truncate(3));
    corrupt(&|items| items[0].data[2] = 255);
    corrupt(&|items| items[0].references.clear());
    // Tiles that do not fill it, or lie outside.
    corrupt(&|items| items[0] = grid(129, 128).remove(0));
    corrupt(&|items| items[0] = grid(64, 128).remove(0));
    corrupt(&|items| {
        items[0] = grid(40, 40).remove(0);
        items[0].data[2..4].fill(0);
        items[0].references[0].1.truncate(1);
        items[1].properties[2] = size(400, 400);
    });
    // Of two sizes, of two kinds.
    corrupt(&|items| items[4] = coded("tile-red", (60, 64)));
    corrupt(&|items| items[1].properties[2] = size(0, 64));
    corrupt(&|items| items[2] = coded("grey", (64, 64)));
    // A grid of grids could be deep.
    let mut items = grid(128, 128);
    items[2] = Item { references: vec![(b"dimg", vec![1])], ..items[0].clone() };
    assert_eq!(code(&file(&items)), "unsupported_format");
}

/// Thousands of tiles of the same few bytes.
#[test]
fn the_same_data_again_and_again_is_refused() {
    let mut items = grid(64 * 32, 64 * 32);
    items[0].data[2..4].fill(31);
    items[0].references[0].1 = vec![2; 1024];
    assert_eq!(make(&file(&items)), Err(PictureError::Corrupt("the same data again and again".into())));
    let mut items = grid(64 * 64, 64 * 64);
    items[0].data[2..4].fill(63);
    items[0].references[0].1 = vec![2; 4096];
    assert_eq!(code(&file(&items)), "corrupt");
}

/// A slice that begins before the last one ended would be decoded again, and so on.
#[test]
fn slices_go_through_a_picture_once() {
    let mut item = coded("plain", (200, 120));
    let slice = item.data.clone();
    item.data.extend(&slice);
    assert!(make(&file(&[item.clone()])).is_ok(), "a second picture is none of ours");
    item.data.clear();
    assert_eq!(code(&file(&[item.clone()])), "corrupt");
    item.data = slice[..slice.len() - 1].to_vec();
    assert_eq!(code(&file(&[item])), "corrupt");
}

#[test]
fn cut_anywhere_it_is_an_error() {
    for whole in [heic("plain"), heic("rgba"), file(&grid(101, 77))] {
        for length in 1..whole.len() {
            // Of less than twelve bytes nobody can say what they were meant to be.
            let expected = if length < 12 { "unsupported_format" } else { "truncated" };
            assert_eq!(code(&whole[..length]), expected, "{length}");
        }
    }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let unsupported = |change: &dyn Fn(&mut Item)| {
        let mut item = coded("plain", (200, 120));
        change(&mut item);
        assert_eq!(code(&file(&[item])), "unsupported_format");
    };
    unsupported(&|item| item.kind = b"av01");
    unsupported(&|item| item.kind = b"iovl");
    unsupported(&|item| item.properties.push((b"wild", vec![], true)));
    // GBR, as lossless encoders write it.
    unsupported(&|item| item.properties[1].1 = b"nclx\0\x01\0\x0d\0\0\x80".to_vec());
    let mut item = coded("plain", (200, 120));
    item.properties.push((b"wild", vec![], false));
    assert!(make(&file(&[item])).is_ok());
}
