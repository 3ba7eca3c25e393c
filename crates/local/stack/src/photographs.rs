//! The photographs that the demo and the tests upload.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::paths;

/// A file of `tests/photos`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Photograph {
    /// Its file name.
    pub name: String,
    /// By its extension.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// All of them, by name.
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
    ensure!(!photographs.is_empty(), "no photographs in {}", folder.display());
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
