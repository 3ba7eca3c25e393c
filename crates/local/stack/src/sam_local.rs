//! Files with which `sam local invoke` runs a function against a running stack.
//!
//! The SAM CLI knows no deployed stack: it makes logical ids of `!Ref`, a Lambda function's ARN of every `.Arn`, and an
//! empty text of other attributes. The file for `--env-vars` has the names and endpoints of the running stack. The SAM CLI
//! takes only variables that the template declares, so a copy of the template declares the endpoint of AWS.

pub mod containers;
mod events;
mod settings;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};

use self::containers::{FORWARD, Host};
pub use self::{
    events::{EVENTS, Expected, SampleEvent},
    settings::Settings,
};
use crate::{
    Stack,
    blocking::block_on,
    functions, paths,
    sidecar::{Sidecar, current_program},
    tools::Tool,
};

/// Asks the SAM CLI's own resolver for the variables of all functions, as `sam local invoke` sets them.
const RESOLVER: &str = include_str!("sam_local/resolver.py");
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The file for `--env-vars`.
pub fn env_file(name: &str) -> PathBuf {
    folder(name).join("env.json")
}

/// The template for `--template`, with the local packages of the functions.
pub fn template_file(name: &str) -> PathBuf {
    folder(name).join("template.yaml")
}

fn folder(name: &str) -> PathBuf {
    paths::workdir().join(name).join("sam")
}

/// Writes both files for the running stack `name`, and starts a forwarder where containers need one.
pub fn prepare(stack: &Stack, name: &str) -> Result<()> {
    let host = Host::find().unwrap_or_else(Host::desktop);
    if let Some(bridge) = host.bridge {
        let ports: Vec<_> = stack.ports()?.iter().map(u16::to_string).collect();
        let arguments = ["--address", &bridge.to_string(), "--ports", &ports.join(",")];
        Sidecar::start(name, &current_program()?, FORWARD, &arguments)?;
    }
    write(stack, name, &host.name).map(drop)
}

/// Writes both files, and returns the variables. `host` is this machine's name in containers.
pub fn write(stack: &Stack, name: &str, host: &str) -> Result<Settings> {
    let mut settings = block_on(settings::deployed(&stack.aws()))?;
    for variables in settings.values_mut() {
        variables.insert(ENDPOINT.to_owned(), stack.emulator.endpoint());
        variables.values_mut().for_each(|value| *value = in_container(value, host));
    }
    fs::create_dir_all(folder(name))?;
    fs::write(env_file(name), serde_json::to_vec_pretty(&settings)?)?;
    let template = fs::read_to_string(functions::built_template())?;
    fs::write(template_file(name), with_endpoint(&template)?)?;
    Ok(settings)
}

/// The variables that the SAM CLI would set, with the environment file or without.
pub fn resolved(name: &str, with_env_file: bool) -> Result<Settings> {
    Tool::Sam.install()?;
    let mut python = Tool::Sam.command("python");
    python.args(["-c", RESOLVER]).arg(template_file(name)).env("SAM_CLI_TELEMETRY", "0");
    if with_env_file {
        python.arg(env_file(name));
    }
    let output = python.output()?;
    ensure!(output.status.success(), "the SAM CLI fails: {}", String::from_utf8_lossy(&output.stderr));
    // The SAM CLI prints notes before.
    let last = output.stdout.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).context("no output")?;
    Ok(serde_json::from_slice(last)?)
}

/// What is wrong with the variables of functions: empty ones that `deployed` functions have, and ARNs of another service than
/// the name says.
pub fn mistakes(settings: &Settings, deployed: &Settings) -> Vec<String> {
    let mut mistakes = Vec::new();
    for (function, variables) in settings {
        // The SAM CLI sets those that the template leaves out, empty.
        let is_left_out = |name: &str, value: &str| {
            value.is_empty() && deployed.get(function).is_some_and(|variables| !variables.contains_key(name))
        };
        for (name, value) in variables {
            if is_of_runtime(name) || is_left_out(name, value) {
                continue;
            }
            if let Some(mistake) = mistake(name, value) {
                mistakes.push(format!("{function}: {name} {mistake}"));
            }
        }
    }
    mistakes
}

/// Set by the SAM CLI itself.
fn is_of_runtime(name: &str) -> bool {
    name.starts_with("AWS_") && !name.starts_with(ENDPOINT)
}

fn mistake(name: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return Some("is empty".to_owned());
    }
    let services: &[&str] = match name {
        name if name.ends_with("_SECRET_ARN") => &["secretsmanager"],
        name if name.ends_with("_TOPIC_ARN") || name.ends_with("_APPLICATION_ARN") => &["sns"],
        _ => &[],
    };
    let service = value.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(1));
    let is_url = value.starts_with("http://") || value.starts_with("https://");
    match service {
        Some(service) if !services.contains(&service) => Some(format!("is an ARN of {service}")),
        None if !services.is_empty() => Some(format!("is no ARN: {value}")),
        None if name.ends_with("_URL") && !is_url => Some(format!("is no URL: {value}")),
        _ => None,
    }
}

/// A value in which addresses of this machine are those in a container.
fn in_container(value: &str, host: &str) -> String {
    let loopback = ["http://127.0.0.1:", "http://localhost:"];
    loopback.iter().fold(value.to_owned(), |value, address| value.replace(address, &format!("http://{host}:")))
}

/// The template with the endpoint of AWS among the variables of all functions.
fn with_endpoint(template: &str) -> Result<String> {
    const GLOBALS: &str = "Globals:\n  Function:\n";
    ensure!(template.contains(GLOBALS), "the template has no globals of functions");
    let declared = format!("{GLOBALS}    Environment: {{ Variables: {{ {ENDPOINT}: \"\" }} }}\n");
    Ok(template.replacen(GLOBALS, &declared, 1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(name: &str, value: &str) -> Settings {
        Settings::from([("F".to_owned(), BTreeMap::from([(name.to_owned(), value.to_owned())]))])
    }

    #[test]
    fn empty_variables_and_arns_of_other_services_are_mistakes() {
        let function = "arn:aws:lambda:us-east-1:123456789012:function:SealingSecret";
        let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s";
        for (name, value) in [
            ("SEALING_SECRET_ARN", ""),
            ("SEALING_SECRET_ARN", function),
            ("SEALING_SECRET_ARN", "SealingSecret"),
            ("MEDIA_TABLE", secret),
            ("QUEUE_URL", "PushQueue"),
            ("AWS_ENDPOINT_URL_SNS", ""),
        ] {
            assert_eq!(mistakes(&settings(name, value), &settings(name, "deployed")).len(), 1, "{name} {value}");
        }
        for (name, value) in [
            ("SEALING_SECRET_ARN", secret),
            ("GRAPH_CHANGES_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:t"),
            ("MEDIA_TABLE", "iyagi-MediaTable-1"),
            ("QUEUE_URL", "http://172.17.0.1:4566/000000000000/q"),
            ("AWS_SESSION_TOKEN", ""),
        ] {
            assert_eq!(mistakes(&settings(name, value), &settings(name, "deployed")), [""; 0], "{name} {value}");
        }
        assert_eq!(mistakes(&settings("DELIVERY_KEY_ID_A", ""), &settings("MEDIA_TABLE", "deployed")), [""; 0]);
    }

    #[test]
    fn addresses_of_this_machine_are_those_in_a_container() {
        let value = in_container("http://127.0.0.1:1/a http://localhost:2 https://iyagi.example", "172.17.0.1");
        assert_eq!(value, "http://172.17.0.1:1/a http://172.17.0.1:2 https://iyagi.example");
    }

    #[test]
    fn endpoint_is_declared_for_all_functions() {
        let template = include_str!("../../../../template.yaml");
        let declared = with_endpoint(template).expect("a template");
        assert!(
            declared.contains("Globals:\n  Function:\n    Environment: { Variables: { AWS_ENDPOINT_URL: \"\" } }\n")
        );
        assert!(with_endpoint("Resources:\n").is_err());
    }
}
