//! No files of a crate import each other in a circle.
//!
//! A file imports another if its code names an item of the other file, or the other file itself, in a `use` declaration
//! or in a path that starts with `crate`, `super`, `self` or a child module. `mod` declarations and re-exports of
//! children (`pub use child::Item`) do not count, and re-exports are resolved to the files that define the items. Code
//! behind `#[cfg(test)]` does not count either.

mod graph;
mod module;
mod paths;
mod source;

use std::{collections::BTreeMap, fs, path::Path};

use cargo_metadata::MetadataCommand;

use graph::cycles;
use module::Module;
use source::{Source, file_of};

/// The groups of files below the folder of `root`, a crate's root file, that import each other in a circle.
fn cycles_of_crate(root: &Path) -> Vec<Vec<String>> {
    let folder = root.parent().expect("a folder");
    let mut files = BTreeMap::new();
    read_modules(folder, &Module::default(), root, &mut files);
    cycles(&paths::imports(&files))
}

/// Reads the file of a module and those of its children.
fn read_modules(folder: &Path, module: &Module, file: &Path, files: &mut BTreeMap<Module, Source>) {
    let Ok(text) = fs::read_to_string(file) else { return };
    let source = Source::parse(&text);
    for child in &source.children {
        let child = module.child(child);
        read_modules(folder, &child, &file_of(folder, &child), files);
    }
    files.insert(module.clone(), source);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let metadata = MetadataCommand::new().current_dir(stack::paths::root()).no_deps().exec().expect("cargo metadata");
    let mut found = Vec::new();
    for package in metadata.workspace_packages() {
        for target in package.targets.iter().filter(|target| !target.is_custom_build()) {
            for cycle in cycles_of_crate(target.src_path.as_std_path()) {
                found.push(format!("{}, {}: {}", package.name, target.name, cycle.join(" ↔ ")));
            }
        }
    }
    assert!(found.is_empty(), "files import each other in a circle:\n{}", found.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles in a crate with these files.
    fn cycles_in(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        cycles_of_crate(&folder.path().join("lib.rs"))
    }

    #[test]
    fn circle_of_two_files_is_found() {
        let files = [
            ("lib.rs", "mod deployment;\nmod stack;\n"),
            ("stack.rs", "use crate::{deployment, other::Thing};\npub fn block_on() { deployment::deploy() }\n"),
            ("deployment.rs", "pub fn deploy() { super::stack::block_on() }\n"),
        ];
        assert_eq!(cycles_in(&files), [["deployment.rs", "stack.rs"]]);
    }

    #[test]
    fn circle_through_a_re_export_is_found() {
        let files = [
            ("lib.rs", "mod one;\nmod two;\npub use one::One;\npub use self::two::{Two, three as four};\n"),
            ("one.rs", "use super::four;\npub struct One;\n"),
            ("two.rs", "pub struct Two(crate::One);\npub fn three() {}\n"),
        ];
        assert_eq!(cycles_in(&files), [["one.rs", "two.rs"]]);
    }

    #[test]
    fn circle_of_parent_and_child_is_found() {
        let files = [
            ("lib.rs", "mod parent;\n"),
            ("parent.rs", "mod child;\npub const LIMIT: u8 = child::HALF * 2;\n"),
            ("parent/child.rs", "use super::LIMIT;\npub const HALF: u8 = 1;\n"),
        ];
        assert_eq!(cycles_in(&files), [["parent.rs", "parent/child.rs"]]);
    }

    #[test]
    fn one_way_imports_are_no_circle() {
        let files = [
            ("lib.rs", "//! Has `mod x` and `crate::one::X`.\nmod one;\nmod two;\npub use one::One;\n"),
            ("one.rs", "// use crate::two::Two;\nuse super::two::Two;\npub struct One(&'static str, Two);\n"),
            (
                "two.rs",
                "pub struct Two;\npub const TEXT: &str = \"crate::one::One\";\n\
                 #[cfg(test)]\nmod tests {\n    use crate::one::One;\n    fn f() { if true { } }\n}\n",
            ),
        ];
        assert_eq!(cycles_in(&files), [[""; 0]; 0]);
    }
}
