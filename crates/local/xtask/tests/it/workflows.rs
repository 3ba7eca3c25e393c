//! The order of a deployment. `actionlint` checks the form of the workflows.

use std::{fs, process::Command};

use stack::{
    paths,
    tools::{self, Tool},
};
use yaml_serde::Value as Yaml;

/// The steps of the deployment: name or command, and condition.
fn steps() -> Vec<(String, String)> {
    let file = paths::root().join(".github/workflows/deploy.yml");
    let workflow: Yaml = yaml_serde::from_str(&fs::read_to_string(file).expect("a file")).expect("YAML");
    let steps = workflow["jobs"]["deploy"]["steps"].as_sequence().expect("steps").iter();
    let text = |step: &Yaml, name: &str| step.get(name).and_then(Yaml::as_str).map(str::to_owned);
    let step = |step: &Yaml| {
        let words = ["name", "uses", "run"].into_iter().filter_map(|name| text(step, name)).collect::<Vec<_>>();
        (words.join(" "), text(step, "if").unwrap_or_default())
    };
    steps.map(step).collect()
}

#[test]
fn deployment_checks_before_and_after_and_rolls_back_without_a_build() {
    let steps = steps();
    let at = |text: &str| {
        let index = steps.iter().position(|(step, _)| step.contains(text));
        index.unwrap_or_else(|| panic!("no step with {text}: {steps:?}"))
    };
    let order = [
        "sam build",
        "actions/upload-artifact",
        "Release=",
        "Assume the role aws-actions/configure-aws-credentials",
        "ops preflight",
        "--template-stage Original",
        "--no-execute-changeset",
        "Assume the role again aws-actions/configure-aws-credentials",
        "cargo xtask smoke --stack iyagi",
        "aws cloudformation deploy",
    ];
    let positions = order.map(at);
    assert!(positions.is_sorted_by(|one, other| one < other), "{positions:?}");
    // A change set is shown first, and executed second.
    let deploys = steps.iter().filter(|(step, _)| step.starts_with("sam deploy"));
    let executes: Vec<_> = deploys.map(|(step, _)| !step.contains("--no-execute-changeset")).collect();
    assert_eq!(executes, [false, true]);
    let (roll_back, condition) = &steps[at("aws cloudformation deploy")];
    assert!(condition.contains("failure()") && condition.contains("steps.deploy.outcome == 'success'"), "{condition}");
    // The code and the parameters of before: another release would keep the new versions of the API functions.
    assert!(roll_back.contains("before/template.yaml") && roll_back.contains("before/parameters.json"), "{roll_back}");
    assert!(!roll_back.contains("sam build"), "{roll_back}");
}

#[test]
fn parameters_of_the_deployment_before_are_accepted_by_the_aws_cli() {
    let steps = steps();
    let program = steps.iter().find_map(|(step, _)| {
        let (program, _) = step.split_once("' before/stack.json > before/parameters.json")?;
        Some(program.rsplit('\'').next().unwrap_or(program))
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let stack = r#"{"Stacks": [{"Parameters": [
        {"ParameterKey": "Empty", "ParameterValue": ""},
        {"ParameterKey": "Key", "ParameterValue": "-----BEGIN PUBLIC KEY-----\nMFkw==\n-----END PUBLIC KEY-----\n"}]}]}"#;
    fs::write(file("stack.json"), stack).expect("a file");
    let jq = Command::new("jq").arg(program.expect("a program of jq")).arg(file("stack.json")).output();
    let Ok(parameters) = jq else {
        eprintln!("skipped: there is no jq");
        return;
    };
    assert!(parameters.status.success(), "{}", String::from_utf8_lossy(&parameters.stderr));
    fs::write(file("parameters.json"), parameters.stdout).expect("a file");
    let template =
        "Parameters: {Empty: {Type: String}, Key: {Type: String}}\nResources: {A: {Type: 'AWS::SNS::Topic'}}\n";
    fs::write(file("template.yaml"), template).expect("a file");
    // The CLI that infra/tools/sam.txt installs comes before that of the runner.
    Tool::Sam.install().expect("the SAM CLI");
    let output = Tool::Sam
        .command("aws")
        .args(["--endpoint-url", "http://127.0.0.1:1", "cloudformation", "deploy", "--stack-name", "iyagi"])
        .args(["--template-file", "template.yaml", "--parameter-overrides", "file://parameters.json"])
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_MAX_ATTEMPTS", "1")])
        .envs([("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1")])
        .current_dir(folder.path())
        .output()
        .expect("output");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("Could not connect to the endpoint"), "{error}");
}

#[test]
fn invalid_workflow_is_found() {
    let Some(mut actionlint) = tools::actionlint().expect("actionlint") else {
        eprintln!("skipped: actionlint needs Go");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("deploy.yml");
    let invalid =
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ steps.b.outputs.c }}\n";
    fs::write(&file, invalid).expect("a file");
    let output = actionlint.args(["-shellcheck=", "-pyflakes="]).arg(&file).output().expect("output");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
