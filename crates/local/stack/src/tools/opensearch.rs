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

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::{
    install::once,
    prerequisites::{Prerequisite, output_of, succeeds},
    tool::{pins, versioned_folder},
};
use crate::progress;

/// Version of OpenSearch, as in `pom.xml`.
pub const VERSION: &str = "2.19.6";
const MIN_JAVA: u32 = 17;
const CHECKSUMS: &str = "jars.sha256";
const LOG_SETTINGS: &str = "log4j2.properties";
const FILES: [&str; 5] = ["pom.xml", CHECKSUMS, LOG_SETTINGS, "LocalServer.java", "NoriPlugin.java"];

/// What it needs, apart from the other prerequisites.
pub const PREREQUISITES: [Prerequisite; 2] = [
    Prerequisite {
        name: "a JDK, 17 or newer (for the real search engine)",
        reason: "tests on OpenSearch with the Korean analyzer",
        install: "sudo apt-get install openjdk-17-jdk-headless",
        is_there: || java_version().is_some_and(|version| version >= MIN_JAVA),
    },
    Prerequisite {
        name: "Maven (for the real search engine)",
        reason: "it downloads OpenSearch",
        install: "sudo apt-get install maven",
        is_there: || succeeds("mvn", &["--version"]),
    },
];

/// The first prerequisite that is missing. Maven is not needed after the installation.
pub fn missing() -> Option<&'static Prerequisite> {
    let [java, maven] = &PREREQUISITES;
    let is_installed = folder().is_ok_and(|folder| folder.join("installed").exists());
    [java].into_iter().chain((!is_installed).then_some(maven)).find(|prerequisite| !prerequisite.is_there())
}

/// Downloads and compiles it if it is missing. Safe to call from several threads and processes.
///
/// # Errors
/// If a prerequisite is missing, or a downloaded file is not the pinned one.
pub fn install() -> Result<()> {
    if let Some(Prerequisite { name, install, .. }) = missing() {
        bail!("{name} is missing. Install it: {install}");
    }
    let folder = folder()?;
    once(&folder, || {
        let jars = jars(&folder);
        if jars.exists() {
            fs::remove_dir_all(&jars)?;
        }
        let mut maven = Command::new("mvn");
        maven.args(["--batch-mode", "--quiet", "--file"]).arg(source("pom.xml")).arg("dependency:copy-dependencies");
        maven.arg(format!("-DoutputDirectory={}", jars.display()));
        progress::run(&format!("Installing OpenSearch {VERSION} (once)"), &mut maven)?;
        verify(&jars, &fs::read_to_string(source(CHECKSUMS))?)?;
        let mut compiler = Command::new("javac");
        compiler.arg("-classpath").arg(class_path(&[jars.join("*")])).arg("-d").arg(classes(&folder));
        compiler.args([source("LocalServer.java"), source("NoriPlugin.java")]);
        progress::run("Compiling the OpenSearch node", &mut compiler)
    })
}

/// A command that runs a node. [`install`] must have installed it. `settings` are settings of the node, as `name=value`.
pub fn command(data: &Path, port: u16, settings: &[&str]) -> Result<Command> {
    let folder = folder()?;
    let mut command = Command::new("java");
    // The serial collector needs the least memory and few threads.
    command.args(["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC"]);
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

/// The major version of the Java compiler: `javac 17.0.15` is 17.
fn java_version() -> Option<u32> {
    output_of("javac", &["-version"]).and_then(|output| major_version(&output))
}

fn major_version(output: &str) -> Option<u32> {
    output.split_whitespace().nth(1)?.split(['.', '-', '+']).next()?.parse().ok()
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
    fn major_version_is_the_first_number() {
        for (output, version) in [
            ("javac 17.0.15\n", Some(17)),
            ("javac 25", Some(25)),
            ("javac 23-ea", Some(23)),
            ("javac 1.8.0_402", Some(1)),
        ] {
            assert_eq!(major_version(output), version, "{output}");
        }
        assert_eq!(major_version("not found"), None);
    }

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
