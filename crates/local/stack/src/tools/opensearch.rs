//! OpenSearch with the Korean analyzer, from Maven Central.
//!
//! `infra/tools/opensearch/pom.xml` pins the versions, `jars.sha256` the files. Two Java files start a node without an
//! installed distribution, and register Lucene's Korean analyzer.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Error, Result, bail, ensure};
use launcher::prerequisites::{FOR_OPENSEARCH, Prerequisite};
use sha2::{Digest, Sha256};

use super::{
    install::once,
    tool::{pins, versioned_folder},
};
use crate::progress;

/// Version of OpenSearch, as in `pom.xml`.
pub const VERSION: &str = "2.19.6";
const CHECKSUMS: &str = "jars.sha256";
const LOG_SETTINGS: &str = "log4j2.properties";
const FILES: [&str; 5] = ["pom.xml", CHECKSUMS, LOG_SETTINGS, "LocalServer.java", "NoriPlugin.java"];

/// Why this machine cannot run OpenSearch: a prerequisite is missing, or Maven cannot download it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub(crate) String);

/// Downloads and compiles it if it is missing. Safe to call from several threads and processes.
///
/// # Errors
/// [`Unavailable`]; or if a downloaded file is not the pinned one, or the node does not compile.
pub fn install() -> Result<()> {
    let [java, maven] = &FOR_OPENSEARCH;
    require(java)?;
    let folder = folder()?;
    once(&folder, || {
        // Not needed after the installation.
        require(maven)?;
        let jars = jars(&folder);
        if jars.exists() {
            fs::remove_dir_all(&jars)?;
        }
        let mut download = Command::new("mvn");
        download.args(["--batch-mode", "--quiet", "--file"]).arg(source("pom.xml")).arg("dependency:copy-dependencies");
        download.arg(format!("-DoutputDirectory={}", jars.display()));
        progress::run(&format!("Installing OpenSearch {VERSION} (once)"), &mut download)
            .map_err(|error| Unavailable(format!("{error:#}")))?;
        verify(&jars, &fs::read_to_string(source(CHECKSUMS))?)?;
        compile(&folder)
    })
}

/// Compiles the node with Eclipse's compiler, which is one of the jars: a Java runtime has none.
fn compile(folder: &Path) -> Result<()> {
    let jars: Vec<_> = fs::read_dir(jars(folder))?.map(|jar| Ok(jar?.path())).collect::<Result<_>>()?;
    let jars = class_path(&jars);
    let mut compiler = Command::new("java");
    compiler.args([
        "-classpath",
        &jars,
        "org.eclipse.jdt.internal.compiler.batch.Main",
        "-17",
        "-proc:none",
        "-nowarn",
    ]);
    compiler.args(["-classpath", &jars, "-d"]).arg(classes(folder));
    compiler.args([source("LocalServer.java"), source("NoriPlugin.java")]);
    progress::run("Compiling the OpenSearch node", &mut compiler)
}

fn require(prerequisite: &Prerequisite) -> Result<()> {
    let Prerequisite { name, install, .. } = prerequisite;
    ensure!(prerequisite.is_there(), Unavailable(format!("{name} is missing. Install it: {install}")));
    Ok(())
}

/// Why OpenSearch is not available, if an installation failed for this reason.
pub fn unavailable(error: &Error) -> Option<&Unavailable> {
    error.downcast_ref()
}

/// A command that runs a node. [`install`] must have installed it. `settings` are settings of the node, as `name=value`.
/// Unless it is measured, Java only compiles as fast as it can.
pub fn command(data: &Path, port: u16, settings: &[&str], is_measured: bool) -> Result<Command> {
    let folder = folder()?;
    let mut command = Command::new("java");
    // The serial collector needs the least memory and few threads.
    command.args(["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC"]);
    if !is_measured {
        command.arg("-XX:TieredStopAtLevel=1");
    }
    command.arg(format!("-Dlog4j2.configurationFile={}", source(LOG_SETTINGS).display()));
    command.arg("-classpath").arg(class_path(&[jars(&folder).join("*"), classes(&folder)]));
    command.arg("LocalServer").arg(data).arg(port.to_string()).args(settings);
    Ok(command)
}

/// Checks that a folder has exactly the files of a list as `sha256sum` prints it.
fn verify(folder: &Path, checksums: &str) -> Result<()> {
    let pinned: BTreeMap<String, String> = checksums
        .lines()
        .map(|line| line.split_once("  ").map(|(hash, name)| (name.to_owned(), hash.to_owned())))
        .collect::<Option<_>>()
        .context("a checksum has no file")?;
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let hash = format!("{:x}", Sha256::digest(fs::read(entry.path())?));
        found.insert(entry.file_name().to_string_lossy().into_owned(), hash);
    }
    let differs = |(name, hash): &(&String, &String)| found.get(*name) != Some(*hash);
    if let Some((name, _)) = pinned.iter().find(differs) {
        bail!("{name} is missing or is not the pinned file");
    }
    ensure!(found.len() == pinned.len(), "there are more files than pinned: {:?}", found.keys());
    Ok(())
}

fn folder() -> Result<PathBuf> {
    let read = |file| fs::read_to_string(source(file)).with_context(|| format!("cannot read {file}"));
    let pins: String = FILES.into_iter().map(read).collect::<Result<_>>()?;
    Ok(versioned_folder("opensearch", &pins))
}

fn source(file: &str) -> PathBuf {
    pins("opensearch").join(file)
}

fn jars(folder: &Path) -> PathBuf {
    folder.join("jars")
}

fn classes(folder: &Path) -> PathBuf {
    folder.join("classes")
}

/// The class path of these folders; `folder/*` stands for its jars.
fn class_path(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_version_is_that_of_the_dependencies() {
        let pom = fs::read_to_string(source("pom.xml")).unwrap();
        assert!(pom.contains(&format!("<opensearch.version>{VERSION}<")));
        let checksums = fs::read_to_string(source(CHECKSUMS)).unwrap();
        assert!(checksums.contains(&format!("  opensearch-{VERSION}.jar\n")), "{checksums}");
    }

    #[test]
    fn changed_missing_or_added_file_is_rejected() {
        let folder = std::env::temp_dir().join(format!("iyagi-jars-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        fs::write(folder.join("a.jar"), "abc").unwrap();
        verify(&folder, &format!("{abc}  a.jar\n")).unwrap();
        for checksums in
            [format!("{abc}  a.jar\n{abc}  b.jar\n"), format!("{}  a.jar\n", abc.replace('b', "c")), String::new()]
        {
            assert!(verify(&folder, &checksums).is_err(), "{checksums}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
