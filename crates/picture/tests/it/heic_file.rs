//! Builds HEIC files.

pub fn heic(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/heic");
    std::fs::read(format!("{folder}/{name}.heic")).unwrap()
}

/// A property: type, content, and whether it is essential.
pub type Property = (&'static [u8; 4], Vec<u8>, bool);

/// An item of a file. Items are numbered from 1.
#[derive(Clone)]
pub struct Item {
    pub kind: &'static [u8; 4],
    pub data: Vec<u8>,
    pub properties: Vec<Property>,
    pub references: Vec<(&'static [u8; 4], Vec<u16>)>,
}

/// A box.
fn named(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat()
}

/// A box with a version and without flags.
fn full(name: &[u8; 4], version: u8, content: &[u8]) -> Vec<u8> {
    named(name, &[&[version, 0, 0, 0], content].concat())
}

/// The content of the first box with this name.
fn content<'a>(file: &'a [u8], name: &[u8; 4]) -> &'a [u8] {
    let at = file.windows(4).position(|window| window == name).unwrap();
    let length = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
    &file[at + 4..at - 4 + length]
}

/// The property that declares the size.
pub fn size(width: u32, height: u32) -> Property {
    (b"ispe", [[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat(), false)
}

/// The coded picture of a test file.
pub fn coded(name: &str, (width, height): (u32, u32)) -> Item {
    let file = heic(name);
    let colour = content(&file, b"colr").to_vec();
    let properties =
        vec![(b"hvcC", content(&file, b"hvcC").to_vec(), true), (b"colr", colour, false), size(width, height)];
    Item { kind: b"hvc1", data: content(&file, b"mdat").to_vec(), properties, references: vec![] }
}

/// A file whose primary item is the first one.
pub fn file(items: &[Item]) -> Vec<u8> {
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
    long[11] = 1; // flag for indices of 15 bits
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
