use std::io::Cursor;

use exif::{In, Reader, Tag};

/// Describes the metadata of a picture that variants must not contain.
pub fn describe(bytes: &[u8]) -> Vec<String> {
    let Ok(exif) = Reader::new().read_from_container(&mut Cursor::new(bytes)) else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(orientation) = exif.get_field(Tag::Orientation, In::PRIMARY) {
        found.push(format!("an EXIF orientation ({})", orientation.value.get_uint(0).unwrap_or_default()));
    }
    if let (Some(latitude), Some(longitude)) =
        (exif.get_field(Tag::GPSLatitude, In::PRIMARY), exif.get_field(Tag::GPSLongitude, In::PRIMARY))
    {
        found.push(format!("a position ({}, {})", latitude.display_value(), longitude.display_value()));
    }
    if let Some(make) = exif.get_field(Tag::Make, In::PRIMARY) {
        found.push(format!("a camera ({})", make.display_value()));
    }
    found
}
