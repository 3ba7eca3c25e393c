//! The launcher compiles what later builds use. This test is also the test target that `workspace_build` names.

use launcher::{lint_environment, root, workspace_build};

fn arguments(command: &std::process::Command) -> Vec<String> {
    command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

#[test]
fn build_selects_the_whole_workspace_and_this_test() {
    let build = workspace_build();
    assert_eq!(arguments(&build), ["build", "--workspace", "--test", "launcher"]);
    assert_eq!(build.get_current_dir(), Some(root()));
}

#[test]
fn root_has_the_alias_of_the_launcher() {
    let config = std::fs::read_to_string(root().join(".cargo/config.toml")).expect("cargo's configuration");
    assert!(config.contains("--package launcher"), "{config}");
}

#[test]
fn linting_build_denies_warnings_of_all_crates_of_the_workspace() {
    let build = lint_environment(workspace_build());
    let variables: Vec<_> = build.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
    assert!(variables.iter().any(|(name, value)| *name == "CLIPPY_ARGS" && value.to_string_lossy().contains("deny")));
    assert!(variables.iter().any(|(name, _)| *name == "RUSTC_WORKSPACE_WRAPPER"));
}
