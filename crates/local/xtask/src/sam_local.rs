//! `cargo xtask sam-local`: sends the files of `tests/events` through `sam local invoke`.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::Command,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use stack::{
    Stack, block_on, paths, push_credentials,
    sam_local::{self, EVENTS, Expected, SampleEvent, containers::Host},
    tools::Tool,
};

use crate::development::DEVELOPMENT;

/// Arguments of `cargo xtask sam-local`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Names of files of tests/events, without extension. Default: all.
    names: Vec<String>,
    /// Use the local image of the runtime: `public.ecr.aws/lambda/provided:al2023-x86_64`.
    #[arg(long)]
    skip_pull_image: bool,
}

/// Runs the functions in containers and compares their responses.
///
/// # Errors
/// If no stack is running, or a response is another than in the contract tests.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Some(host) = Host::find() else {
        println!("– sam local: skipped, because no Docker engine answers (docker network inspect bridge)");
        return Ok(());
    };
    let stack = Stack::running(DEVELOPMENT).context("no stack is running; start it with: cargo xtask up")?;
    sam_local::prepare(&stack, DEVELOPMENT)?;
    let is_selected =
        |event: &&SampleEvent| arguments.names.is_empty() || arguments.names.iter().any(|n| n == event.name);
    let mut failed = 0;
    for event in EVENTS.iter().filter(is_selected) {
        match invoke(event, &stack, &host, arguments) {
            Ok(()) => println!("✓ {} → {}", event.name, event.function),
            Err(error) => {
                failed += 1;
                println!("✗ {} → {}: {error:#}", event.name, event.function);
            }
        }
    }
    ensure!(failed == 0, "{failed} events have other responses than in the contract tests");
    Ok(())
}

fn invoke(event: &SampleEvent, stack: &Stack, host: &Host, arguments: &Arguments) -> Result<()> {
    let (file, answers) = match event.expected {
        Expected::Created => creation(event, stack, host)?,
        _ => (paths::root().join("tests/events").join(format!("{}.json", event.name)), None),
    };
    let mut sam = Tool::Sam.command("sam");
    stack.emulator.configure(&mut sam).env("SAM_CLI_TELEMETRY", "0");
    sam.args(["local", "invoke", event.function, "--event"]).arg(file);
    sam.arg("--template").arg(sam_local::template_file(DEVELOPMENT));
    sam.arg("--env-vars").arg(sam_local::env_file(DEVELOPMENT));
    if arguments.skip_pull_image {
        sam.arg("--skip-pull-image");
    }
    let response = response(&mut sam)?;
    ensure!(event.expected.is(&response), "expected {:?}, got {response}", event.expected);
    if let Some(answers) = answers {
        let answer = answers.recv_timeout(Duration::from_secs(10)).context("no answer to CloudFormation")?;
        ensure!(answer["Status"] == "SUCCESS", "{answer}");
    }
    Ok(())
}

/// The event with the stack's credentials, whose answer comes to a server of this process: there is no CloudFormation.
fn creation(event: &SampleEvent, stack: &Stack, host: &Host) -> Result<(PathBuf, Option<Receiver<Value>>)> {
    let file = paths::root().join("tests/events").join(format!("{}.json", event.name));
    let mut request: Value = serde_json::from_slice(&fs::read(file)?)?;
    let (url, answers) = receive_one(host)?;
    request["ResponseURL"] = url.into();
    let secret = block_on(push_credentials::secret_arn(&stack.aws()))?;
    request["ResourceProperties"]["CredentialsSecretArn"] = secret.into();
    let copy = sam_local::env_file(DEVELOPMENT).with_file_name(format!("{}.json", event.name));
    fs::write(&copy, request.to_string())?;
    Ok((copy, Some(answers)))
}

/// Receives the body of one HTTP request from a container.
fn receive_one(host: &Host) -> Result<(String, Receiver<Value>)> {
    let listener = TcpListener::bind((host.bridge.unwrap_or(Ipv4Addr::LOCALHOST.into()), 0))?;
    let url = format!("http://{}:{}/answer", host.name, listener.local_addr()?.port());
    let (sender, answers) = mpsc::channel();
    thread::spawn(move || -> Result<()> {
        let (stream, _) = listener.accept()?;
        let mut stream = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
        Ok(sender.send(serde_json::from_slice(&body)?)?)
    });
    Ok((url, answers))
}

/// The response on the last line of the standard output.
fn response(sam: &mut Command) -> Result<Value> {
    let output = sam.output().context("cannot start the SAM CLI")?;
    let text = String::from_utf8(output.stdout)?;
    match text.lines().rfind(|line| !line.trim().is_empty()).map(serde_json::from_str) {
        Some(Ok(response)) if output.status.success() => Ok(response),
        _ => bail!("{}", String::from_utf8_lossy(&output.stderr).trim()),
    }
}
