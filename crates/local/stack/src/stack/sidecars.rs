//! The sidecars of a stack and their arguments.

use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::{
    cdn_key::KEY_ID,
    paths::{cdn_key_file, graph_file, search_folder, state_file},
    sam_local::containers::FORWARD,
    search_server::{Engine, port_of},
    sidecar::{Sidecar, current_program},
};

// Subcommands of xtask.
const DOCS: &str = "docs";
const CLOUDFRONT: &str = "edge";
const FAULT_PROXY: &str = "faults";
const NEPTUNE: &str = "neptune";
const MOBILE_PUSH: &str = "phones";
const SEARCH: &str = "search";

/// All sidecars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecars {
    #[serde(flatten)]
    pub services: ServiceSidecars,
    /// The server of the pages `/docs` and `/stories`.
    pub docs: Sidecar,
    /// The CloudFront edge, which clients call.
    pub cloudfront: Sidecar,
}

/// The sidecars that functions call. They start before the emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSidecars {
    pub neptune: Sidecar,
    pub mobile_push: Sidecar,
    pub search: Sidecar,
    /// The engine of `search`.
    #[serde(default)]
    pub search_engine: Engine,
    /// The proxy between the functions and all services.
    #[serde(default)]
    pub fault_proxy: Option<Sidecar>,
}

impl ServiceSidecars {
    /// Starts the service sidecars of the stack `name`, whose emulator will be at `aws`.
    pub fn start(name: &str, aws: &str, search_engine: Engine, with_fault_proxy: bool) -> Result<Self> {
        let (neptune, mobile_push) = (start_neptune(name)?, start_mobile_push(name, aws)?);
        let search = start_search(name, search_engine, 0)?;
        let services = [&neptune, &mobile_push, &search];
        let fault_proxy = with_fault_proxy.then(|| start_fault_proxy(name, aws, services)).transpose()?;
        Ok(Self { neptune, mobile_push, search, search_engine, fault_proxy })
    }

    /// Restarts the search engine on the same port, if its data outlive the process.
    pub fn restart_search(&mut self, name: &str) -> Result<()> {
        if self.search_engine.is_durable() {
            self.search.stop()?;
            let port = port_of(self.search.endpoint()).context("the endpoint has no port")?;
            self.search = start_search(name, self.search_engine, port)?;
        }
        Ok(())
    }

    /// The endpoint at which functions call `sidecar`.
    pub fn endpoint<'a>(&'a self, sidecar: &'a Sidecar) -> &'a str {
        self.fault_proxy.as_ref().unwrap_or(sidecar).endpoint()
    }
}

impl Sidecars {
    /// Starts the sidecars that clients call. The emulator must be running at `aws`.
    pub fn start(name: &str, services: ServiceSidecars, aws: &str) -> Result<Self> {
        Ok(Self { services, docs: start_docs(name)?, cloudfront: start_cloudfront(name, aws)? })
    }

    /// Restarts the sidecars that have ended.
    pub fn restart_ended(&mut self, name: &str, aws: &str) -> Result<()> {
        restart_if_ended(&mut self.services.neptune, || start_neptune(name))?;
        restart_if_ended(&mut self.services.mobile_push, || start_mobile_push(name, aws))?;
        let engine = self.services.search_engine;
        restart_if_ended(&mut self.services.search, || start_search(name, engine, 0))?;
        restart_if_ended(&mut self.docs, || start_docs(name))?;
        restart_if_ended(&mut self.cloudfront, || start_cloudfront(name, aws))
    }

    /// All sidecars.
    pub fn all(&self) -> impl Iterator<Item = &Sidecar> {
        let ServiceSidecars { neptune, mobile_push, search, search_engine: _, fault_proxy } = &self.services;
        [&self.docs, &self.cloudfront, neptune, mobile_push, search].into_iter().chain(fault_proxy)
    }
}

/// The running sidecars of the stack `name`, including those of an interrupted command.
pub fn running(name: &str) -> Vec<Sidecar> {
    let all = [DOCS, CLOUDFRONT, FAULT_PROXY, NEPTUNE, MOBILE_PUSH, SEARCH, FORWARD];
    all.iter().filter_map(|subcommand| Sidecar::running(name, subcommand)).collect()
}

fn restart_if_ended(sidecar: &mut Sidecar, start: impl FnOnce() -> Result<Sidecar>) -> Result<()> {
    if !sidecar.is_alive() {
        *sidecar = start()?;
    }
    Ok(())
}

fn start_docs(name: &str) -> Result<Sidecar> {
    let state = state_file(name);
    start(name, DOCS, &["--stack", utf8(&state)?])
}

fn start_neptune(name: &str) -> Result<Sidecar> {
    let graph = graph_file(name);
    start(name, NEPTUNE, &["--state", utf8(&graph)?])
}

fn start_mobile_push(name: &str, aws: &str) -> Result<Sidecar> {
    start(name, MOBILE_PUSH, &["--upstream", aws])
}

fn start_search(name: &str, engine: Engine, port: u16) -> Result<Sidecar> {
    let (data, port) = (search_folder(name), port.to_string());
    // The first line of the sidecar's output must be the endpoint, not the progress of an installation.
    engine.install()?;
    let engine = engine.to_possible_value().context("the engine has no name")?;
    start(name, SEARCH, &["--engine", engine.get_name(), "--port", &port, "--data", utf8(&data)?])
}

fn start_fault_proxy(name: &str, aws: &str, services: [&Sidecar; 3]) -> Result<Sidecar> {
    let [neptune, mobile_push, search] = services.map(Sidecar::endpoint);
    start(name, FAULT_PROXY, &["--aws", aws, "--sns", mobile_push, "--neptune", neptune, "--search", search])
}

fn start_cloudfront(name: &str, aws: &str) -> Result<Sidecar> {
    let key = cdn_key_file(name);
    start(name, CLOUDFRONT, &["--upstream", aws, "--key-id", KEY_ID, "--key", utf8(&key)?])
}

fn start(name: &str, subcommand: &str, arguments: &[&str]) -> Result<Sidecar> {
    Sidecar::start(name, &current_program()?, subcommand, arguments)
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().context("the path of the checkout is not UTF-8")
}
