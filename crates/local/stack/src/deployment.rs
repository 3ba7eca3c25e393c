//! `sam deploy` to an emulator as to production: with the parameters of `[production]` in `samconfig.toml`, the key of
//! `infra/key.yaml`, and a topic for alarms.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use aws_client::AwsClient;
use serde::Deserialize;

use crate::{blocking::block_on, emulator::Emulator, functions, paths, progress, tools::Tool};

/// Name of the stack, as in `samconfig.toml`.
pub(crate) const STACK: &str = "iyagi";
/// Name of the key's stack.
const KEY_STACK: &str = "iyagi-key";
/// Name of the topic for alarms.
const ALARMS: &str = "iyagi-alarms";

/// Deploys the built template and returns its outputs. `overrides` are the parameters that differ from production.
pub fn deploy(emulator: &Emulator, overrides: &[(&str, &str)]) -> Result<BTreeMap<String, String>> {
    let mut parameters = production(&fs::read_to_string(config())?)?;
    parameters.extend(key(emulator)?);
    parameters.insert("AlarmTopicArn".to_owned(), alarms(emulator)?);
    parameters.extend(overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut sam = Tool::Sam.command("sam");
    // By default, SAM looks for its configuration beside the built template.
    sam.arg("deploy").arg("--config-file").arg(config()).args(["--config-env", "production"]);
    sam.arg("--template-file").arg(functions::built_template()).arg("--no-confirm-changeset");
    // These replace the parameters of the configuration. The SAM CLI ignores undeclared parameters.
    sam.arg("--parameter-overrides");
    sam.args(parameters.iter().map(|(name, value)| format!("ParameterKey={name},ParameterValue={value}")));
    progress::run("Deploying template.yaml", emulator.configure(sam.env("SAM_CLI_TELEMETRY", "0")))?;
    outputs(emulator, STACK)
}

/// The parameters of `[production]` in `samconfig.toml`.
fn production(config: &str) -> Result<BTreeMap<String, String>> {
    let config: Config = toml::from_str(config)?;
    let entries = config.production.global.parameters.parameter_overrides;
    let pair = |entry: &String| {
        let (name, value) = entry.split_once('=').with_context(|| format!("{entry} is not NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    entries.iter().map(pair).collect()
}

/// Deploys the key. The outputs of its stack are parameters of the main stack.
fn key(emulator: &Emulator) -> Result<BTreeMap<String, String>> {
    let mut aws = cli(emulator);
    aws.args(["cloudformation", "deploy", "--no-fail-on-empty-changeset", "--stack-name", KEY_STACK]);
    aws.arg("--template-file").arg(paths::root().join("infra/key.yaml"));
    progress::run("Deploying infra/key.yaml", &mut aws)?;
    outputs(emulator, KEY_STACK)
}

/// The ARN of the topic for alarms. Creates the topic if it does not exist.
fn alarms(emulator: &Emulator) -> Result<String> {
    let input = [("Action", "CreateTopic"), ("Version", "2010-03-31"), ("Name", ALARMS)];
    let response = block_on(AwsClient::new(emulator.endpoint()).query("sns", &input))?;
    let response = roxmltree::Document::parse(&response)?;
    let arn = response.descendants().find(|node| node.has_tag_name("TopicArn")).and_then(|node| node.text());
    Ok(arn.context("the topic has no ARN")?.to_owned())
}

fn outputs(emulator: &Emulator, stack: &str) -> Result<BTreeMap<String, String>> {
    let mut describe = cli(emulator);
    describe.args(["--output", "json", "cloudformation", "describe-stacks", "--stack-name", stack]);
    let output = describe.output()?;
    ensure!(output.status.success(), "cannot read the outputs of {stack}: {}", String::from_utf8_lossy(&output.stderr));
    let response: DescribeStacks = serde_json::from_slice(&output.stdout)?;
    let outputs = response.stacks.into_iter().next().context("the stack does not exist")?.outputs;
    Ok(outputs.into_iter().map(|output| (output.output_key, output.output_value)).collect())
}

fn cli(emulator: &Emulator) -> Command {
    let mut aws = Tool::Sam.command("aws");
    emulator.configure(&mut aws);
    aws
}

fn config() -> PathBuf {
    paths::root().join("samconfig.toml")
}

#[derive(Deserialize)]
struct Config {
    production: Environment,
}

#[derive(Deserialize)]
struct Environment {
    global: Section,
}

#[derive(Deserialize)]
struct Section {
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Parameters {
    parameter_overrides: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeStacks {
    stacks: Vec<DescribedStack>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedStack {
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    output_value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_parameters_are_read_from_samconfig() {
        let parameters = production(&fs::read_to_string(config()).expect("samconfig.toml")).expect("parameters");
        assert_eq!(parameters["PollMode"], "follow");
        assert!(parameters.len() >= 6, "{parameters:?}");
        assert!(parameters.values().all(|value| !value.contains('"')), "{parameters:?}");
    }

    #[test]
    fn invalid_configuration_is_an_error() {
        let of = |entry: &str| format!("[production.global.parameters]\nparameter_overrides = [{entry}]\n");
        assert_eq!(production(&of("\"A=b=c\"")).expect("parameters"), BTreeMap::from([("A".into(), "b=c".into())]));
        for invalid in [of("\"A\""), of("1"), "[production]".to_owned(), String::new()] {
            assert!(production(&invalid).is_err(), "{invalid}");
        }
    }
}
