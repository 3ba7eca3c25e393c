//! Reads the workspace and the change.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use stack::paths;

use super::reach::{Package, Workspace};

/// Reads packages and test modules.
pub fn read() -> Result<Workspace> {
    let metadata = MetadataCommand::new().manifest_path(paths::root().join("Cargo.toml")).no_deps().exec()?;
    let members: Vec<_> = metadata.workspace_packages();
    let mut packages = BTreeMap::new();
    for package in &members {
        let folder = package.manifest_path.parent().context("a manifest without a folder")?;
        let dependencies = package.dependencies.iter().map(|dependency| dependency.name.clone());
        let is_member = |name: &String| members.iter().any(|member| member.name.as_str() == name);
        let mut sources = String::new();
        read_sources(folder.as_std_path(), &mut sources)?;
        packages.insert(
            package.name.to_string(),
            Package {
                folder: folder.strip_prefix(&metadata.workspace_root)?.to_string(),
                dependencies: dependencies.filter(is_member).collect(),
                sources,
            },
        );
    }
    Ok(Workspace { packages, contract: modules("contract")?, e2e: modules("e2e")? })
}

/// The modules of `main.rs`, with the text of their files.
fn modules(suite: &str) -> Result<BTreeMap<String, String>> {
    let folder = paths::root().join("tests").join(suite);
    let main = fs::read_to_string(folder.join("main.rs"))?;
    let names = main.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let modules = names.map(|name| {
        let mut text = fs::read_to_string(folder.join(name).with_extension("rs"))?;
        let children = folder.join(name);
        if children.is_dir() {
            read_sources(&children, &mut text)?;
        }
        Ok((name.to_owned(), text))
    });
    // Modules without tests are helpers.
    modules
        .filter(|module: &Result<(_, String)>| module.as_ref().map_or(true, |(_, text)| text.contains("test]")))
        .collect()
}

/// Appends all Rust code below a folder.
fn read_sources(folder: &Path, text: &mut String) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_sources(&path, text)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path)?);
        }
    }
    Ok(())
}

/// The files that differ from `base`, and untracked files; paths relative to the root.
pub fn changed_files(base: &str) -> Result<Vec<String>> {
    let mut files = git(&["diff", "--name-only", "--no-renames", base])?;
    files.extend(git(&["ls-files", "--others", "--exclude-standard"])?);
    Ok(files)
}

fn git(arguments: &[&str]) -> Result<Vec<String>> {
    let output =
        Command::new("git").current_dir(paths::root()).args(["-c", "core.quotePath=false"]).args(arguments).output()?;
    ensure!(output.status.success(), "git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}
