//! Where things lie in a checkout.

use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn root() -> &'static Path {
    // This crate lies two levels below it.
    let mut root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for _ in 0..2 {
        root = root.parent().unwrap_or(root);
    }
    root
}

/// All that the local stack installs and writes: deleting it loses nothing but time.
pub fn workdir() -> PathBuf {
    root().join("target/local")
}
