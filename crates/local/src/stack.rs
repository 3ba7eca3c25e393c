//! `template.yaml`, deployed to an emulator.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{aws::Aws, emulator::Emulator, functions, paths, steps, tools::Tool};

/// Tests find the stack by this variable: the path of its state file.
pub const STATE_VARIABLE: &str = "IYAGI_STACK";

/// A deployed stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// What plays AWS.
    pub emulator: Emulator,
    /// The template's outputs.
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Starts an emulator with IAM enforced and deploys the built template to it.
    pub fn start(name: &str) -> Result<Self> {
        let emulator = Emulator::start(name, true)?;
        match deploy(&emulator) {
            Ok(outputs) => {
                let stack = Self { emulator, outputs };
                fs::write(state_file(name), serde_json::to_vec_pretty(&stack)?)?;
                Ok(stack)
            }
            Err(error) => {
                emulator.stop()?;
                Err(error)
            }
        }
    }

    /// The running stack `name`, if there is one.
    pub fn running(name: &str) -> Option<Self> {
        Self::load(&state_file(name)).ok().filter(|stack| stack.emulator.is_ready())
    }

    /// The stack that the tests are to use.
    pub fn under_test() -> Result<Self> {
        let file = std::env::var_os(STATE_VARIABLE)
            .with_context(|| format!("{STATE_VARIABLE} is not set: `cargo xtask test` deploys a stack and sets it"))?;
        Self::load(Path::new(&file))
    }

    /// Deploys the built template again, to the same emulator.
    pub fn redeploy(&mut self, name: &str) -> Result<()> {
        self.outputs = deploy(&self.emulator)?;
        Ok(fs::write(state_file(name), serde_json::to_vec_pretty(self)?)?)
    }

    /// The template's output `name`.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the template has no output {name}"))
    }

    /// Where clients reach `path`, which starts with a slash. Locally API Gateway has no host name
    /// of its own.
    pub fn api(&self, path: &str) -> Result<String> {
        Ok(format!("{}/_aws/execute-api/{}/$default{path}", self.emulator.endpoint(), self.output("ApiId")?))
    }

    /// Signed calls to the emulator, as its administrator.
    pub fn aws(&self) -> Aws {
        Aws::new(self.emulator.endpoint())
    }

    fn load(file: &Path) -> Result<Self> {
        let state = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(serde_json::from_slice(&state)?)
    }
}

/// Where the state of the stack `name` is kept.
pub fn state_file(name: &str) -> PathBuf {
    paths::workdir().join(name).join("stack.json")
}

fn deploy(emulator: &Emulator) -> Result<BTreeMap<String, String>> {
    let mut sam = Tool::Sam.command("sam");
    // Without a path, SAM looks for its configuration beside the built template.
    sam.arg("deploy").arg("--config-file").arg(paths::root().join("samconfig.toml"));
    sam.arg("--template-file").arg(functions::built_template()).arg("--no-confirm-changeset");
    steps::run("Deploying template.yaml", emulator.serve(sam.env("SAM_CLI_TELEMETRY", "0")))?;
    let mut describe = Tool::Sam.command("aws");
    describe.args(["--endpoint-url", &emulator.endpoint(), "--output", "json"]);
    describe.args(["cloudformation", "describe-stacks", "--stack-name", "iyagi"]);
    let answer = emulator.serve(&mut describe).output()?;
    if !answer.status.success() {
        bail!("cannot read the stack's outputs: {}", String::from_utf8_lossy(&answer.stderr));
    }
    let answer: Described = serde_json::from_slice(&answer.stdout)?;
    let outputs = answer.stacks.into_iter().next().context("the stack is not there")?.outputs;
    Ok(outputs.into_iter().map(|output| (output.output_key, output.output_value)).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
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
