//! Reads zip files with other libraries: the crate `zip` for the structure, `flate2` for the content.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use flate2::read::DeflateDecoder;
use zip::ZipArchive;

/// The content of each entry, whose size and checksum are right.
pub fn entries(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("a zip file");
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index_raw(index).expect("an entry");
        let (mut stored, mut content) = (Vec::new(), Vec::new());
        entry.read_to_end(&mut stored).expect("its bytes");
        DeflateDecoder::new(stored.as_slice()).read_to_end(&mut content).expect("deflate");
        assert_eq!((content.len() as u64, stored.len() as u64), (entry.size(), entry.compressed_size()));
        assert_eq!(crc32fast::hash(&content), entry.crc32());
        let name = entry.name().expect("UTF-8").into_owned();
        assert!(entries.insert(name.clone(), content).is_none(), "two entries {name}");
    }
    entries
}
