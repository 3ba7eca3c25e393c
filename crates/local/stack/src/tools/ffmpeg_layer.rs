//! The Lambda layer with ffmpeg.
//!
//! ffmpeg comes from the wheel of `imageio-ffmpeg` that the tests use, for the functions' instruction set. The digests of its
//! programs are pinned in `infra/tools/ffmpeg-layer.txt`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::{
    install::installer,
    tool::{Tool, pins},
};
use crate::{paths, progress};

const MAKE: &str = include_str!("ffmpeg_layer.py");

/// Downloads ffmpeg for `architecture` (`x86_64` or `arm64`), checks its digest and returns the ZIP of its layer.
///
/// # Errors
/// If the program has another digest than the pinned one.
pub fn ffmpeg_layer(architecture: &str) -> Result<PathBuf> {
    let folder = paths::root().join("target/layer").join(architecture);
    fs::create_dir_all(&folder)?;
    let machine = if architecture == "arm64" { "aarch64" } else { architecture };
    let mut pip = Command::new(installer("python")?);
    pip.args(["-m", "pip", "--disable-pip-version-check", "download", "--no-deps", "--only-binary", ":all:", "--dest"]);
    pip.arg(&folder).arg("--requirement").arg(pins("audio.txt"));
    // Their glibc is older than that of Amazon Linux 2023.
    for tag in ["manylinux2014", "manylinux_2_28"] {
        pip.args(["--platform", &format!("{tag}_{machine}")]);
    }
    progress::run(&format!("Downloading ffmpeg for {architecture}"), &mut pip)?;
    let (wheel, target) = (wheel(&folder)?, folder.join("ffmpeg.zip"));
    progress::run("Making the layer", &mut make(&wheel, &digest(architecture)?, &target)?)?;
    Ok(target)
}

/// The wheel of the pinned version in `folder`.
fn wheel(folder: &Path) -> Result<PathBuf> {
    let pinned = fs::read_to_string(pins("audio.txt"))?;
    let start = wheel_start(&pinned).context("audio.txt pins no package")?;
    let is_wheel = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&start) && path.extension().is_some_and(|extension| extension == "whl")
    };
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.into_iter().find(is_wheel).with_context(|| format!("no {start}*.whl in {}", folder.display()))
}

/// The start of the wheel's file name, from a requirements file that pins one package, perhaps with hashes.
fn wheel_start(pins: &str) -> Option<String> {
    let (name, version) = pins.split_whitespace().find_map(|word| word.split_once("=="))?;
    Some(format!("{}-{version}-", name.replace('-', "_")))
}

/// The SHA-256 of ffmpeg for an architecture.
pub fn digest(architecture: &str) -> Result<String> {
    let digests = fs::read_to_string(pins("ffmpeg-layer.txt"))?;
    let digest = digests.lines().find_map(|line| line.split_once(' ').filter(|(name, _)| *name == architecture));
    Ok(digest.with_context(|| format!("ffmpeg-layer.txt has no {architecture}"))?.1.trim().to_owned())
}

/// A command that checks the program in a wheel and makes the layer.
pub fn make(wheel: &Path, digest: &str, target: &Path) -> Result<Command> {
    ensure!(digest.len() == 64, "{digest} is no SHA-256");
    let mut python = Tool::Audio.command("python");
    python.args(["-c", MAKE]).arg(wheel).arg(digest).arg(target);
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheel_is_named_by_the_pin_also_with_hashes() {
        let pinned = fs::read_to_string(pins("audio.txt")).expect("the pins");
        let start = wheel_start(&pinned).expect("a package");
        assert!(start.starts_with("imageio_ffmpeg-") && !start.contains(['=', ' ', '\\']), "{start}");
        assert_eq!(wheel_start("a-b==1.2 \\\n    --hash=sha256:00"), Some("a_b-1.2-".to_owned()));
        assert_eq!(wheel_start("# none"), None);
    }
}
