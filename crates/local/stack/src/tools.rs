//! Pinned tools.
//!
//! They come from PyPI, pinned in `infra/tools/*.txt`, each in its own Python environment, since their dependencies
//! conflict. One of them is Node.js, which installs packages from npm. actionlint is compiled.
//! [`opensearch`] comes from Maven Central.
//!
//! The installations are shared by all checkouts of a user and survive `cargo clean`: see [`paths::cache`].

mod actionlint;
mod ffmpeg_layer;
mod install;
pub mod opensearch;
mod tool;

use std::{env, ffi::OsString, path::PathBuf};

use anyhow::{Context, Result, ensure};

pub use self::{
    actionlint::actionlint,
    ffmpeg_layer::{digest as ffmpeg_digest, ffmpeg_layer, make as make_ffmpeg_layer},
    tool::{Tool, pins},
};

/// Installs the tools that a local stack needs, apart from the search engine; fast if none is missing.
pub fn install() -> Result<()> {
    let tools = [Tool::Emulator, Tool::Sam, Tool::Audio, Tool::Player];
    tools.into_iter().try_for_each(Tool::install)
}

/// The path of ffmpeg. [`Tool::Audio`] must be installed.
pub fn ffmpeg() -> Result<PathBuf> {
    let find = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())";
    let output = Tool::Audio.command("python").args(["-c", find]).output();
    let output = output.context("the audio tools are not installed")?;
    let ffmpeg = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    ensure!(ffmpeg.is_file(), "imageio-ffmpeg has no ffmpeg for this platform");
    Ok(ffmpeg)
}

/// `PATH` with the programs of `tool` first.
pub fn path_with(tool: Tool) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tool.bin()).chain(env::split_paths(&path));
    env::join_paths(folders).context("a folder in PATH contains a separator")
}
