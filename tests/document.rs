//! The API's document, held against the deployed stack by those who know nothing else of it:
//! schemathesis, and a client that a public generator makes of it.

mod support;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use local::{paths, tools::Tool, users::Users};
use support::Deployed;
use uuid::Uuid;

/// Requests that schemathesis makes up for each operation in each of its phases, at most.
const EXAMPLES: &str = "25";

/// What it does is the same each time.
const SEED: &str = "20261122";

#[tokio::test]
async fn schemathesis_finds_nothing() {
    let deployed = Deployed::get();
    let somebody = deployed.person("Somebody").await;
    let mut schemathesis = Tool::Api.command("schemathesis");
    schemathesis.arg("--config-file").arg(paths::root().join("tests/client/schemathesis.toml"));
    schemathesis.arg("run").arg(deployed.stack.api("/v1/openapi.json").expect("an address"));
    schemathesis.args(["--url", &deployed.stack.api("").expect("an address"), "--no-color"]);
    schemathesis.args(["--header", &format!("Authorization: Bearer {}", somebody.access_token)]);
    schemathesis.args(["--max-examples", EXAMPLES, "--seed", SEED, "--generation-database", "none"]);
    schemathesis.env("PYTHONPATH", paths::root().join("tests/client")).env("PYTHONDONTWRITEBYTECODE", "1");
    schemathesis.env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
    succeeds(schemathesis.current_dir(scratch("schemathesis")));
}

#[tokio::test]
async fn a_generated_client_lives_through_the_life_of_a_photograph() {
    let deployed = Deployed::get();
    let folder = scratch("generated-client");
    let mut generate = Tool::Api.command("openapi-python-client");
    generate.arg("generate").arg("--path").arg(local::openapi::path());
    generate.args(["--meta", "none", "--fail-on-warning", "--output-path", "iyagi_client"]);
    // It formats what it has written with a program beside it.
    generate.env("PATH", local::tools::path_with(Tool::Api).expect("a path"));
    succeeds(generate.current_dir(&folder));

    let (email, password) = (format!("{}@iyagi.example", Uuid::new_v4().simple()), "correct horse 7 Battery");
    Users::of(&deployed.stack).expect("a user pool").create(&email, password).await.expect("an account");
    let mut life = Tool::Api.command("python");
    life.arg(paths::root().join("tests/client/life.py")).arg(paths::root().join("tests/photos/고양이.jpg"));
    life.env("PYTHONPATH", &folder).env("PYTHONDONTWRITEBYTECODE", "1");
    life.env("API_URL", deployed.stack.api("").expect("an address"));
    life.env("COGNITO_URL", deployed.stack.emulator.endpoint()).env("REGION", local::emulator::REGION);
    life.env("USER_POOL_ID", deployed.output("UserPoolId"));
    life.env("USER_POOL_CLIENT_ID", deployed.output("UserPoolClientId"));
    life.env("EMAIL", email).env("PASSWORD", password);
    let said = succeeds(&mut life);
    assert_eq!(said.lines().last(), Some("deleted, everywhere"), "{said}");
}

/// An empty folder below `target`.
fn scratch(name: &str) -> PathBuf {
    let folder = paths::workdir().join("test").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an old folder goes");
    }
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Runs a program to its end, while its test does nothing else; what it says.
fn succeeds(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{said}");
    said
}
