//! What runs beside the emulator of AWS, and with which arguments.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{cdn_key, graph_file, state_file};
use crate::{
    cdn_key::ID,
    emulator::Emulator,
    sidecar::{Sidecar, current_program},
};

/// The subcommand that shows the page to try the API with.
const DOCS: &str = "docs";
/// The subcommand that plays an edge of CloudFront.
const EDGE: &str = "edge";
/// The subcommand that makes the functions' calls fail.
const FAULTS: &str = "faults";
/// The subcommand that plays Neptune Streams.
const NEPTUNE: &str = "neptune";
/// The subcommand that plays SNS mobile push and FCM.
const PHONES: &str = "phones";
/// The subcommand that plays OpenSearch.
const SEARCH: &str = "search";

/// All that runs beside the emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecars {
    /// What the functions call.
    #[serde(flatten)]
    pub services: Services,
    /// What shows the page to try the API with.
    pub docs: Sidecar,
    /// What plays an edge of CloudFront.
    pub edge: Sidecar,
}

/// What the functions call beside the emulator; it is there before the emulator is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services {
    /// What plays Neptune Streams.
    pub neptune: Sidecar,
    /// What plays SNS mobile push, FCM and phones.
    pub phones: Sidecar,
    /// What plays OpenSearch.
    pub search: Sidecar,
    /// What stands between the functions and all that, if anything does.
    #[serde(default)]
    pub faults: Option<Sidecar>,
}

impl Services {
    /// Starts it for the stack `name`, whose emulator is to answer at `aws`.
    pub fn start(name: &str, aws: &str, with_faults: bool) -> Result<Self> {
        let (neptune, phones, search) = (start_neptune(name)?, start_phones(name, aws)?, start_search(name)?);
        let faults = if with_faults { Some(start_faults(name, aws, [&neptune, &phones, &search])?) } else { None };
        Ok(Self { neptune, phones, search, faults })
    }

    /// Where functions find `sidecar`.
    pub fn endpoint<'a>(&'a self, sidecar: &'a Sidecar) -> &'a str {
        self.faults.as_ref().unwrap_or(sidecar).endpoint()
    }
}

impl Sidecars {
    /// Starts the rest, which the emulator's clients meet.
    pub fn complete(name: &str, services: Services, emulator: &Emulator) -> Result<Self> {
        Ok(Self { services, docs: start_docs(name)?, edge: start_edge(name, emulator)? })
    }

    /// Starts those again that have died.
    pub fn restart(&mut self, name: &str, emulator: &Emulator) -> Result<()> {
        restart(&mut self.services.neptune, || start_neptune(name))?;
        restart(&mut self.services.phones, || start_phones(name, &emulator.endpoint()))?;
        restart(&mut self.services.search, || start_search(name))?;
        restart(&mut self.docs, || start_docs(name))?;
        restart(&mut self.edge, || start_edge(name, emulator))
    }

    /// Each of them.
    pub fn all(&self) -> impl Iterator<Item = &Sidecar> {
        let Services { neptune, phones, search, faults } = &self.services;
        [&self.docs, &self.edge, neptune, phones, search].into_iter().chain(faults)
    }
}

/// Those of the stack `name` that run, whoever started them.
pub fn recorded(name: &str) -> Vec<Sidecar> {
    let all = [DOCS, EDGE, FAULTS, NEPTUNE, PHONES, SEARCH];
    all.iter().filter_map(|subcommand| Sidecar::recorded(name, subcommand)).collect()
}

fn restart(sidecar: &mut Sidecar, start: impl FnOnce() -> Result<Sidecar>) -> Result<()> {
    if !sidecar.is_alive() {
        *sidecar = start()?;
    }
    Ok(())
}

fn start_docs(name: &str) -> Result<Sidecar> {
    let state = state_file(name);
    let state = state.to_str().context("the path of the checkout is not UTF-8")?;
    Sidecar::start(name, &current_program()?, DOCS, &["--stack", state])
}

fn start_neptune(name: &str) -> Result<Sidecar> {
    let state = graph_file(name);
    let state = state.to_str().context("the path of the checkout is not UTF-8")?;
    Sidecar::start(name, &current_program()?, NEPTUNE, &["--state", state])
}

fn start_phones(name: &str, aws: &str) -> Result<Sidecar> {
    Sidecar::start(name, &current_program()?, PHONES, &["--upstream", aws])
}

fn start_search(name: &str) -> Result<Sidecar> {
    Sidecar::start(name, &current_program()?, SEARCH, &[])
}

fn start_faults(name: &str, aws: &str, services: [&Sidecar; 3]) -> Result<Sidecar> {
    let [neptune, phones, search] = services.map(Sidecar::endpoint);
    let arguments = ["--aws", aws, "--sns", phones, "--neptune", neptune, "--search", search];
    Sidecar::start(name, &current_program()?, FAULTS, &arguments)
}

fn start_edge(name: &str, emulator: &Emulator) -> Result<Sidecar> {
    let key = cdn_key(name, emulator)?.public;
    let key = key.to_str().context("the path of the checkout is not UTF-8")?;
    let arguments = ["--upstream", &emulator.endpoint(), "--key-id", ID, "--key", key];
    Sidecar::start(name, &current_program()?, EDGE, &arguments)
}
