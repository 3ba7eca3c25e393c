//! The API's document against the deployed API: schemathesis, and a client that a public generator creates from it.
//!
//! Functions: upload-api, media-api, device-api, inbox-api, search-api.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use stack::{
    paths,
    tools::{self, Tool},
    users::Users,
};
use uuid::Uuid;

use crate::deployed::Deployed;

/// The Python files beside these tests.
const CLIENT: &str = "tests/e2e/client";

/// At most so many generated requests for each operation in each phase of schemathesis.
const EXAMPLES: &str = "25";

/// The seed of schemathesis: each run sends the same requests.
const SEED: &str = "20261122";

#[tokio::test]
async fn schemathesis_reports_no_failure() {
    let deployed = Deployed::shared().await;
    let user = deployed.sign_up("Mina").await;
    let client = paths::root().join(CLIENT);
    let mut schemathesis = Tool::Api.command("schemathesis");
    schemathesis.arg("--config-file").arg(client.join("schemathesis.toml"));
    schemathesis.arg("run").arg(deployed.stack.api_url("/v1/openapi.json").expect("URL"));
    schemathesis.args(["--url", &deployed.stack.api_url("").expect("URL"), "--no-color"]);
    schemathesis.args(["--header", &format!("Authorization: Bearer {}", user.access_token)]);
    schemathesis.args(["--max-examples", EXAMPLES, "--seed", SEED, "--generation-database", "none"]);
    schemathesis.env("PYTHONPATH", client).env("PYTHONDONTWRITEBYTECODE", "1");
    schemathesis.env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
    run(schemathesis.current_dir(empty_folder("schemathesis")));
}

#[tokio::test]
async fn generated_client_uploads_reads_and_deletes_a_photograph() {
    let deployed = Deployed::shared().await;
    let folder = empty_folder("generated-client");
    let mut generate = Tool::Api.command("openapi-python-client");
    generate.arg("generate").arg("--path").arg(stack::paths::openapi());
    generate.args(["--meta", "none", "--fail-on-warning", "--output-path", "iyagi_client"]);
    // The generator runs a formatter that lies beside it.
    generate.env("PATH", tools::path_with(Tool::Api).expect("path"));
    run(generate.current_dir(&folder));

    let (email, password) = (format!("{}@iyagi.example", Uuid::new_v4().simple()), "correct horse 7 Battery");
    Users::from_stack(&deployed.stack).expect("user pool").create(&email, password).await.expect("account");
    let mut scenario = Tool::Api.command("python");
    scenario.arg(paths::root().join(CLIENT).join("scenario.py")).arg(paths::root().join("tests/photos/고양이.jpg"));
    scenario.env("PYTHONPATH", &folder).env("PYTHONDONTWRITEBYTECODE", "1");
    scenario.env("API_URL", deployed.stack.api_url("").expect("URL"));
    scenario.env("COGNITO_URL", deployed.stack.emulator.endpoint()).env("REGION", aws_client::REGION);
    scenario.env("USER_POOL_ID", deployed.output("UserPoolId"));
    scenario.env("USER_POOL_CLIENT_ID", deployed.output("UserPoolClientId"));
    scenario.env("EMAIL", email).env("PASSWORD", password);
    let output = run(&mut scenario);
    assert_eq!(output.lines().last(), Some("deleted, with all variants"), "{output}");
}

/// An empty folder for one test.
fn empty_folder(name: &str) -> PathBuf {
    let folder = paths::workdir().join("test").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("removed");
    }
    fs::create_dir_all(&folder).expect("folder");
    folder
}

/// Runs a program, which must succeed; returns its output. It blocks this test's thread.
fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let output = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{output}");
    output
}
