//! Paths in a checkout.

use std::{env, path::PathBuf};

pub use launcher::root;

/// The OpenAPI document of the REST API.
pub fn openapi() -> PathBuf {
    root().join("docs/api/openapi.json")
}

/// The folder for installed tools, shared by all checkouts: `$IYAGI_CACHE`, or `iyagi` in the user's cache folder. It can
/// be deleted at any time.
pub fn cache() -> PathBuf {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user_cache = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let folder = variable("IYAGI_CACHE").or_else(|| Some(user_cache()?.join("iyagi")));
    folder.unwrap_or_else(|| workdir().join("cache"))
}

/// The folder for everything that the local stack writes. It can be deleted at any time.
pub fn workdir() -> PathBuf {
    root().join("target/local")
}

/// The state file of the stack `name`.
pub fn state_file(name: &str) -> PathBuf {
    workdir().join(name).join("stack.json")
}

/// The journal of the Neptune emulator of the stack `name`.
pub fn graph_file(name: &str) -> PathBuf {
    workdir().join(name).join("graph.jsonl")
}

/// The folder of the search indexes of the stack `name`.
pub fn search_folder(name: &str) -> PathBuf {
    workdir().join(name).join("search")
}

/// The public key for signed URLs of the stack `name`.
pub fn cdn_key_file(name: &str) -> PathBuf {
    workdir().join(name).join("cdn-key.pem")
}
