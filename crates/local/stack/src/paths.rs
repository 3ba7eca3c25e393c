//! Where things lie in a checkout.

use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn root() -> &'static Path {
    // This crate lies three levels below it.
    let mut root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for _ in 0..3 {
        root = root.parent().unwrap_or(root);
    }
    root
}

/// The document of the REST API, which `cargo xtask openapi` writes.
pub fn openapi() -> PathBuf {
    root().join("docs/api/openapi.json")
}

/// All that the local stack installs and writes: deleting it loses nothing but time.
pub fn workdir() -> PathBuf {
    root().join("target/local")
}
