//! The sample photographs of the demo and the tests.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::paths;

/// A file of `tests/photos`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Photograph {
    /// File name.
    pub name: String,
    /// Content type, by the extension.
    pub content_type: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

/// All photographs, sorted by name.
pub fn all() -> Result<Vec<Photograph>> {
    let folder = paths::root().join("tests/photos");
    let mut photographs = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if let Some(content_type) = content_type(&path) {
            let name = path.file_name().and_then(|name| name.to_str()).context("a file name is not UTF-8")?.to_owned();
            photographs.push(Photograph { name, content_type, bytes: fs::read(path)? });
        }
    }
    ensure!(!photographs.is_empty(), "there are no photographs in {}", folder.display());
    photographs.sort();
    Ok(photographs)
}

fn content_type(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "jpg" => Some("image/jpeg"),
        "png" => Some("image/png"),
        "webp" => Some("image/webp"),
        "gif" => Some("image/gif"),
        "heic" => Some("image/heic"),
        _ => None,
    }
}
