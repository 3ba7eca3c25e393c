//! Names of the pieces of an unfinished file in the bucket of exports, and of entries in a zip file.

use domain::media::{Kind, MediaId};
use store::exports::StoredExport;

/// Characters that some file systems refuse in names.
const REFUSED: [char; 7] = ['<', '>', ':', '"', '|', '?', '*'];

/// A piece of the directory.
pub fn directory(export: &StoredExport, number: u32) -> String {
    format!("{}directory-{number}", export.pieces())
}

/// Bytes before a position that are too few for a part.
pub fn rest(export: &StoredExport, position: u64) -> String {
    format!("{}rest-{position}", export.pieces())
}

/// The path of an original in the zip file: unique, because ids are.
pub fn entry(kind: Kind, key: &str, file_name: Option<&str>) -> String {
    let name = file_name.unwrap_or("original").replace(REFUSED, "_");
    format!("originals/{kind}/{}/{name}", MediaId::of_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_holds_kind_id_and_a_name_for_every_file_system() {
        let id = MediaId::of_key("photo/mina/a");
        assert_eq!(
            entry(Kind::Photo, "photo/mina/a", Some("고양이?.jpg")),
            format!("originals/photo/{id}/고양이_.jpg")
        );
        assert_eq!(entry(Kind::Audio, "photo/mina/a", None), format!("originals/audio/{id}/original"));
    }
}
