//! Photographs from two Debian packages, converted to sizes and formats that phones and cameras produce.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use stack::progress;

use super::{candidates::python, workdir::workdir};

/// Packages with photographs of 5 to 20 megapixels under free licences.
const PACKAGES: [&str; 2] = ["lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04"];

/// An input file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Photograph {
    /// File name without extension.
    pub name: String,
    /// Path of the file.
    pub path: PathBuf,
}

/// All photographs. Created by the first call.
pub fn make() -> Result<Vec<Photograph>> {
    let folder = workdir().join("photographs");
    if !folder.exists() {
        let packages = workdir().join("packages");
        fs::create_dir_all(&packages)?;
        let mut download = Command::new("apt-get");
        download.current_dir(&packages).arg("download").args(PACKAGES);
        progress::run("Downloading photographs (first run only; if it fails, run apt-get update)", &mut download)?;
        for package in files(&packages, "deb")? {
            let mut unpack = Command::new("dpkg-deb");
            unpack.arg("--extract").arg(package).arg(packages.join("unpacked"));
            progress::run("Unpacking photographs", &mut unpack)?;
        }
        // The folder gets its name when it is complete.
        let incomplete = workdir().join("photographs.incomplete");
        fs::create_dir_all(&incomplete)?;
        let mut prepare = python("prepare.py");
        prepare.arg(packages.join("unpacked")).arg(&incomplete);
        progress::run("Converting photographs (first run only)", &mut prepare)?;
        fs::rename(incomplete, &folder)?;
    }
    let mut photographs = Vec::new();
    for extension in ["jpg", "png", "webp"] {
        for path in files(&folder, extension)? {
            let name = path.file_stem().and_then(|name| name.to_str()).context("a file name is not UTF-8")?.to_owned();
            photographs.push(Photograph { name, path });
        }
    }
    ensure!(photographs.len() >= 8, "only {} photographs in {}", photographs.len(), folder.display());
    Ok(photographs)
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
