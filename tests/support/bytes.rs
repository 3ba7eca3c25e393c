//! Searches in the content of files.

/// Whether `content` contains `part`.
pub fn contains(content: &[u8], part: impl AsRef<[u8]>) -> bool {
    find(content, part).is_some()
}

/// The offset of the first `part` in `content`.
pub fn find(content: &[u8], part: impl AsRef<[u8]>) -> Option<usize> {
    let part = part.as_ref();
    content.windows(part.len()).position(|window| window == part)
}
