//! What runs beside the emulator of AWS, and with which arguments.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{delivery_key, graph_file, state_file};
use crate::{
    delivery_key::ID,
    emulator::Emulator,
    sidecar::{Companion, this_program},
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
pub struct Companions {
    /// What the functions call.
    #[serde(flatten)]
    pub called: Called,
    /// What shows the page to try the API with.
    pub docs: Companion,
    /// What plays an edge of CloudFront.
    pub edge: Companion,
}

/// What the functions call beside the emulator; it is there before the emulator is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// What plays Neptune Streams.
    pub neptune: Companion,
    /// What plays SNS mobile push, FCM and phones.
    pub phones: Companion,
    /// What plays OpenSearch.
    pub search: Companion,
    /// What stands between the functions and all that, if anything does.
    #[serde(default)]
    pub faults: Option<Companion>,
}

impl Called {
    /// Starts it for the stack `name`, whose emulator is to answer at `aws`.
    pub fn start(name: &str, aws: &str, with_faults: bool) -> Result<Self> {
        let (neptune, phones, search) = (start_neptune(name)?, start_phones(name, aws)?, start_search(name)?);
        let faults = if with_faults { Some(start_faults(name, aws, [&neptune, &phones, &search])?) } else { None };
        Ok(Self { neptune, phones, search, faults })
    }

    /// Where functions find `companion`.
    pub fn endpoint<'a>(&'a self, companion: &'a Companion) -> &'a str {
        self.faults.as_ref().unwrap_or(companion).endpoint()
    }
}

impl Companions {
    /// Starts the rest, which the emulator's clients meet.
    pub fn complete(name: &str, called: Called, emulator: &Emulator) -> Result<Self> {
        Ok(Self { called, docs: start_docs(name)?, edge: start_edge(name, emulator)? })
    }

    /// Starts those again that have died.
    pub fn revive(&mut self, name: &str, emulator: &Emulator) -> Result<()> {
        revive(&mut self.called.neptune, || start_neptune(name))?;
        revive(&mut self.called.phones, || start_phones(name, &emulator.endpoint()))?;
        revive(&mut self.called.search, || start_search(name))?;
        revive(&mut self.docs, || start_docs(name))?;
        revive(&mut self.edge, || start_edge(name, emulator))
    }

    /// Each of them.
    pub fn all(&self) -> impl Iterator<Item = &Companion> {
        let Called { neptune, phones, search, faults } = &self.called;
        [&self.docs, &self.edge, neptune, phones, search].into_iter().chain(faults)
    }
}

/// Those of the stack `name` that run, whoever started them.
pub fn recorded(name: &str) -> Vec<Companion> {
    let all = [DOCS, EDGE, FAULTS, NEPTUNE, PHONES, SEARCH];
    all.iter().filter_map(|subcommand| Companion::recorded(name, subcommand)).collect()
}

fn revive(companion: &mut Companion, start: impl FnOnce() -> Result<Companion>) -> Result<()> {
    if !companion.is_alive() {
        *companion = start()?;
    }
    Ok(())
}

fn start_docs(name: &str) -> Result<Companion> {
    let state = state_file(name);
    let state = state.to_str().context("the path of the checkout is not UTF-8")?;
    Companion::start(name, &this_program()?, DOCS, &["--stack", state])
}

fn start_neptune(name: &str) -> Result<Companion> {
    let state = graph_file(name);
    let state = state.to_str().context("the path of the checkout is not UTF-8")?;
    Companion::start(name, &this_program()?, NEPTUNE, &["--state", state])
}

fn start_phones(name: &str, aws: &str) -> Result<Companion> {
    Companion::start(name, &this_program()?, PHONES, &["--upstream", aws])
}

fn start_search(name: &str) -> Result<Companion> {
    Companion::start(name, &this_program()?, SEARCH, &[])
}

fn start_faults(name: &str, aws: &str, called: [&Companion; 3]) -> Result<Companion> {
    let [neptune, phones, search] = called.map(Companion::endpoint);
    let arguments = ["--aws", aws, "--sns", phones, "--neptune", neptune, "--search", search];
    Companion::start(name, &this_program()?, FAULTS, &arguments)
}

fn start_edge(name: &str, emulator: &Emulator) -> Result<Companion> {
    let key = delivery_key(name, emulator)?.public;
    let key = key.to_str().context("the path of the checkout is not UTF-8")?;
    let arguments = ["--upstream", &emulator.endpoint(), "--key-id", ID, "--key", key];
    Companion::start(name, &this_program()?, EDGE, &arguments)
}
