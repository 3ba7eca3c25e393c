//! Commands of cargo that share compiled packages.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// The root of the workspace.
pub fn root() -> &'static Path {
    // The crate's folder is three levels below the root.
    let mut root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for _ in 0..3 {
        root = root.parent().unwrap_or(root);
    }
    root
}

/// A command that runs the current cargo in the root of the workspace.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_package(name)) {
        cargo.env_remove(name);
    }
    cargo
}

/// Whether cargo sets this variable for the package that it runs. Build scripts of dependencies, such as that of `ring`, run
/// again if it changes. All that depends on them would be compiled again after a plain `cargo build`.
fn is_of_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// `cargo build` of binaries, given by the caller, with the features of the whole workspace and its tests.
pub fn workspace_build() -> Command {
    let mut build = cargo();
    // Cargo includes the features that tests need only if a test is among the targets.
    build.args(["build", "--workspace", "--test", "launcher"]);
    build
}

/// Lets clippy's driver take the place of rustc for the crates of the workspace. It compiles like rustc and lints besides,
/// so that lints need no build of their own. `cargo clippy` uses the same variables, but checks only.
pub fn lint_environment(mut cargo: Command) -> Command {
    // The separator is that of `cargo clippy`.
    cargo.env("RUSTC_WORKSPACE_WRAPPER", beside_cargo("clippy-driver"));
    cargo.env("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings");
    cargo
}

/// The path of a program that rustup installs beside cargo.
pub(crate) fn beside_cargo(program: &str) -> PathBuf {
    PathBuf::from(env::var_os("CARGO").unwrap_or_default()).with_file_name(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_running_package_are_removed() {
        let build = cargo();
        let is_removed = |name: &str| build.get_envs().any(|(removed, value)| removed == name && value.is_none());
        // Cargo sets them for this test, too.
        for name in ["CARGO_PKG_NAME", "CARGO_PKG_VERSION_MAJOR", "CARGO_PKG_VERSION_PRE", "CARGO_MANIFEST_DIR"] {
            assert!(env::var_os(name).is_some() && is_removed(name), "{name}");
        }
        assert!(!is_removed("CARGO_HOME") && !is_removed("PATH"));
    }
}
