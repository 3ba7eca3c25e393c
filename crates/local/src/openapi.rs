//! `cargo xtask openapi`: the document of the REST API, written down.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::paths;

/// Where it stands in the repository: what `media-api` answers with.
pub fn path() -> PathBuf {
    paths::root().join("docs/api/openapi.json")
}

/// Writes the document that the code describes.
pub fn write() -> Result<()> {
    let text = api::document::text().context("writing the document")?;
    fs::write(path(), text).with_context(|| format!("writing {}", path().display()))?;
    println!("Wrote {}", path().display());
    Ok(())
}
