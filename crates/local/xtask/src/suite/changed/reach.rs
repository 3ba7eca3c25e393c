//! What a change can reach, by the dependencies of crates and by the files and functions that tests name.

use std::collections::{BTreeMap, BTreeSet};

/// The workspace as far as the selection needs it.
#[derive(Debug, Default)]
pub struct Workspace {
    /// All packages by name.
    pub packages: BTreeMap<String, Package>,
    /// The modules of the contract tests, with their texts.
    pub contract: BTreeMap<String, String>,
    /// The modules of the end-to-end tests, with their texts.
    pub e2e: BTreeMap<String, String>,
}

/// A package of the workspace.
#[derive(Debug, Default)]
pub struct Package {
    /// Its folder, relative to the root.
    pub folder: String,
    /// The packages of the workspace that it depends on, for any purpose.
    pub dependencies: BTreeSet<String>,
    /// The text of its sources, in which names of other files are searched.
    pub sources: String,
}

/// The tests that a change can reach, and those that it cannot.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Number of changed files.
    pub files: usize,
    /// Packages whose own tests run.
    pub packages: BTreeSet<String>,
    /// Modules of the contract tests.
    pub contract: BTreeSet<String>,
    /// Modules of the end-to-end tests.
    pub e2e: BTreeSet<String>,
    /// Packages that are left out.
    pub left_out_packages: BTreeSet<String>,
    /// Modules of the contract tests that are left out.
    pub left_out_contract: BTreeSet<String>,
    /// Modules of the end-to-end tests that are left out.
    pub left_out_e2e: BTreeSet<String>,
}

/// The packages of the tests that need built functions.
const TEST_PACKAGES: [&str; 3] = ["contract-tests", "e2e-tests", "test-support"];
/// Files that change everything: dependencies, and how the stack is built and deployed.
const EVERYTHING: [&str; 2] = ["Cargo.lock", "Cargo.toml"];
/// Files and folders whose change affects the deployed stack as a whole.
const STACK: [&str; 4] = ["template.yaml", "samconfig.toml", "crates/local/", "tests/support/"];

/// What a change of `files`, paths relative to the root, can reach.
pub fn reach(files: &[String], workspace: &Workspace) -> Reached {
    let everything = files.iter().any(|file| EVERYTHING.contains(&file.as_str()));
    let stack = everything || files.iter().any(|file| STACK.iter().any(|path| file.starts_with(path)));
    let changed = workspace.packages.iter().filter(|(_, package)| {
        everything || files.iter().any(|file| owns(workspace, package, file) || names(&package.sources, file))
    });
    let packages = dependents(workspace, changed.map(|(name, _)| name.clone()).collect());
    let functions: BTreeSet<&str> = packages
        .iter()
        .filter(|name| workspace.packages[*name].folder.starts_with("functions/"))
        .map(|name| name.as_str())
        .collect();
    let modules = |suite: &str, modules: &BTreeMap<String, String>| -> (BTreeSet<String>, BTreeSet<String>) {
        modules.keys().cloned().partition(|module| {
            let text = &modules[module];
            let own = files.iter().any(|file| {
                file.strip_prefix(&format!("tests/{suite}/"))
                    .is_some_and(|rest| rest.trim_end_matches(".rs").split('/').next() == Some(module))
                    || !file.ends_with(".rs") && names(text, file)
            });
            stack || own || functions.iter().any(|function| names_function(text, function))
        })
    };
    let (contract, left_out_contract) = modules("contract", &workspace.contract);
    let (e2e, left_out_e2e) = modules("e2e", &workspace.e2e);
    let (packages, left_out_packages) = workspace
        .packages
        .keys()
        .filter(|name| !TEST_PACKAGES.contains(&name.as_str()))
        .cloned()
        .partition(|name| packages.contains(name));
    Reached { files: files.len(), packages, contract, e2e, left_out_packages, left_out_contract, left_out_e2e }
}

/// Whether the file lies in the folder of this package, and in that of none within it.
fn owns(workspace: &Workspace, package: &Package, file: &str) -> bool {
    let folder_of = |package: &Package| file.strip_prefix(&package.folder).is_some_and(|rest| rest.starts_with('/'));
    let longest =
        workspace.packages.values().filter(|package| folder_of(package)).map(|package| package.folder.len()).max();
    folder_of(package) && longest == Some(package.folder.len())
}

/// Whether a text names a file that is not Rust code.
fn names(text: &str, file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    !file.ends_with(".rs") && name != "Cargo.toml" && name != "README.md" && text.contains(name)
}

/// Whether a text names a function: `media-api`, or its logical id `MediaApi`.
fn names_function(text: &str, function: &str) -> bool {
    let logical_id: String = function.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    text.contains(function) || text.contains(&logical_id)
}

/// These packages and all that depend on them.
fn dependents(workspace: &Workspace, mut reached: BTreeSet<String>) -> BTreeSet<String> {
    loop {
        let new: Vec<String> = workspace
            .packages
            .iter()
            .filter(|(name, package)| !reached.contains(*name) && !package.dependencies.is_disjoint(&reached))
            .map(|(name, _)| name.clone())
            .collect();
        if new.is_empty() {
            return reached;
        }
        reached.extend(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(folder: &str, dependencies: &[&str], sources: &str) -> Package {
        let dependencies = dependencies.iter().map(|name| (*name).to_owned()).collect();
        Package { folder: folder.to_owned(), dependencies, sources: sources.to_owned() }
    }

    fn workspace() -> Workspace {
        let packages = [
            ("domain", package("crates/domain", &[], "")),
            ("picture", package("crates/picture", &[], "")),
            ("media-api", package("functions/media-api", &["domain"], "")),
            ("thumbnailer", package("functions/thumbnailer", &["picture"], "")),
            ("xtask", package("crates/local/xtask", &[], r#"read("docs/operations/runbooks.md")"#)),
            ("e2e-tests", package("tests/e2e", &["domain"], "")),
        ];
        let modules = |modules: &[(&str, &str)]| {
            modules.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        Workspace {
            packages: packages.into_iter().map(|(name, package)| (name.to_owned(), package)).collect(),
            contract: modules(&[
                ("reads", "start(\"MediaApi\")"),
                ("pictures", "start(\"Thumbnailer\") event(\"photo-landed.json\")"),
            ]),
            e2e: modules(&[("media", "//! Functions: media-api, thumbnailer"), ("tokens", "//! Functions: media-api")]),
        }
    }

    fn reached(files: &[&str]) -> Reached {
        reach(&files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>(), &workspace())
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn changed_crate_reaches_its_dependents_and_the_tests_of_their_functions() {
        let reached = reached(&["crates/picture/src/lib.rs"]);
        assert_eq!(reached.packages, set(&["picture", "thumbnailer"]));
        assert_eq!((reached.contract, reached.e2e), (set(&["pictures"]), set(&["media"])));
        assert_eq!(reached.left_out_packages, set(&["domain", "media-api", "xtask"]));
        assert_eq!((reached.left_out_contract, reached.left_out_e2e), (set(&["reads"]), set(&["tokens"])));
    }

    #[test]
    fn changed_document_reaches_the_crates_that_name_it() {
        let reached = reached(&["docs/operations/runbooks.md"]);
        assert_eq!(reached.packages, set(&["xtask"]));
        assert!(reached.contract.is_empty() && reached.e2e.is_empty());
    }

    #[test]
    fn changed_template_reaches_all_tests_of_functions() {
        let reached = reached(&["template.yaml"]);
        assert_eq!((reached.contract, reached.e2e), (set(&["pictures", "reads"]), set(&["media", "tokens"])));
    }

    #[test]
    fn changed_test_reaches_its_module() {
        assert_eq!(reached(&["tests/e2e/tokens.rs"]).e2e, set(&["tokens"]));
        assert_eq!(reached(&["tests/events/photo-landed.json"]).contract, set(&["pictures"]));
    }

    #[test]
    fn changed_lock_file_reaches_everything() {
        let reached = reached(&["Cargo.lock"]);
        assert!(reached.left_out_packages.is_empty() && reached.left_out_e2e.is_empty());
    }

    #[test]
    fn unrelated_file_reaches_nothing() {
        let reached = reached(&["LICENSE"]);
        assert!(reached.packages.is_empty() && reached.contract.is_empty() && reached.e2e.is_empty());
    }
}
