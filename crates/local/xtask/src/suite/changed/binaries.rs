//! Test binaries of single packages, compiled with the features of the whole workspace.
//!
//! `cargo test --package` resolves features for the named packages, so that dependencies would be compiled again.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Artifact, Message};
use stack::{cargo, lint_environment, paths};

/// A compiled test binary.
#[derive(Debug, PartialEq, Eq)]
pub struct TestBinary {
    /// The binary's path.
    pub program: PathBuf,
    /// The folder of its package, in which cargo runs it.
    pub folder: PathBuf,
}

impl TestBinary {
    /// The command that runs it as cargo does.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

/// The test binaries of the packages in `folders`, which are relative to the root. All tests must be compiled.
pub fn of_packages(folders: &BTreeSet<&str>) -> Result<Vec<TestBinary>> {
    let mut list = lint_environment(cargo());
    list.args(["test", "--workspace", "--no-run", "--quiet", "--message-format", "json"]);
    let output = list.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo test --no-run: {}", output.status);
    let folders: BTreeSet<_> = folders.iter().map(|folder| paths::root().join(folder)).collect();
    let mut binaries = Vec::new();
    for message in Message::parse_stream(output.stdout.as_slice()) {
        if let Message::CompilerArtifact(artifact) = message? {
            binaries.extend(test_binary(artifact).filter(|binary| folders.contains(&binary.folder)));
        }
    }
    Ok(binaries)
}

fn test_binary(artifact: Artifact) -> Option<TestBinary> {
    let program = artifact.executable.filter(|_| artifact.profile.test)?.into_std_path_buf();
    Some(TestBinary { program, folder: artifact.manifest_path.parent()?.as_std_path().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of cargo about an executable.
    fn message(is_test: bool) -> Message {
        let text = format!(
            r#"{{"reason":"compiler-artifact","package_id":"path+file:///w/crates/domain#0.1.0",
                "manifest_path":"/w/crates/domain/Cargo.toml","features":[],"filenames":["/w/target/debug/deps/domain-1"],
                "target":{{"kind":["lib"],"crate_types":["lib"],"name":"domain","src_path":"/w/crates/domain/src/lib.rs",
                "edition":"2024","doc":true,"doctest":true,"test":true}},"executable":"/w/target/debug/deps/domain-1",
                "profile":{{"opt_level":"0","debuginfo":1,"debug_assertions":true,"overflow_checks":true,"test":{is_test}}},
                "fresh":true}}"#
        );
        serde_json::from_str(&text).expect("a message")
    }

    #[test]
    fn only_test_executables_are_taken() {
        let binary = |message| match message {
            Message::CompilerArtifact(artifact) => test_binary(artifact),
            other => panic!("{other:?}"),
        };
        let expected = TestBinary {
            program: PathBuf::from("/w/target/debug/deps/domain-1"),
            folder: PathBuf::from("/w/crates/domain"),
        };
        assert_eq!(binary(message(true)), Some(expected));
        assert_eq!(binary(message(false)), None);
    }
}
