use std::path::PathBuf;

use stack::paths;

/// Folder for inputs, installed packages and outputs.
pub fn workdir() -> PathBuf {
    paths::root().join("target/bench/picture")
}
