//! `cargo xtask openapi`: writes the document of the REST API.

use std::fs;

use anyhow::{Context, Result};
use stack::paths;

/// Writes `docs/api/openapi.json` from the types of the crate `api`.
pub fn write() -> Result<()> {
    let path = paths::openapi();
    let text = api::document::text().context("cannot write the document")?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("Wrote {}", path.display());
    Ok(())
}
