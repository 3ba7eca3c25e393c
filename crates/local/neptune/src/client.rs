use std::{collections::BTreeMap, num::NonZeroU32};

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    commit::Commit,
    control::Trim,
    database::{Committed, StreamBounds},
    faults::{ActiveFault, Fault, FaultRequest},
    value::Value,
};

/// A client of a running emulator: commits, reads the graph, injects faults.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: String,
    http: reqwest::Client,
}

/// The whole graph.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphSnapshot {
    /// Keyed by id.
    pub vertices: BTreeMap<String, VertexSnapshot>,
    /// Keyed by id.
    pub edges: BTreeMap<String, EdgeSnapshot>,
}

/// A vertex.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VertexSnapshot {
    /// Sorted.
    pub labels: Vec<String>,
    /// Keyed by name.
    pub properties: BTreeMap<String, Value>,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeSnapshot {
    /// Its label.
    pub label: String,
    /// Id of the source vertex.
    pub from: String,
    /// Id of the target vertex.
    pub to: String,
    /// Keyed by name.
    pub properties: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultList {
    faults: Vec<ActiveFault>,
}

impl Client {
    /// A client of the emulator at `endpoint`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), http: reqwest::Client::new() }
    }

    /// The emulator's base URL.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Commits.
    pub async fn commit(&self, commit: &Commit) -> Result<Committed> {
        self.call(Method::POST, "commit", Some(commit)).await
    }

    /// The first and last position of the stream.
    pub async fn head(&self) -> Result<StreamBounds> {
        self.call(Method::GET, "head", None::<&()>).await
    }

    /// The current graph.
    pub async fn graph(&self) -> Result<GraphSnapshot> {
        self.call(Method::GET, "graph", None::<&()>).await
    }

    /// Injects a fault into the next `times` requests, or into all requests until the faults are cleared.
    pub async fn inject_fault(&self, fault: Fault, times: Option<NonZeroU32>) -> Result<()> {
        let _: FaultList = self.call(Method::POST, "faults", Some(&FaultRequest { fault, times })).await?;
        Ok(())
    }

    /// The injected faults and their counters.
    pub async fn faults(&self) -> Result<Vec<ActiveFault>> {
        let list: FaultList = self.call(Method::GET, "faults", None::<&()>).await?;
        Ok(list.faults)
    }

    /// StreamBounds all faults.
    pub async fn clear_faults(&self) -> Result<()> {
        let _: FaultList = self.call(Method::DELETE, "faults", None::<&()>).await?;
        Ok(())
    }

    /// Expires all commits up to and including `through`.
    pub async fn trim(&self, through: u64) -> Result<StreamBounds> {
        self.call(Method::POST, "trim", Some(&Trim { through })).await
    }

    /// A fast reset: deletes the graph and the stream.
    pub async fn reset(&self) -> Result<StreamBounds> {
        self.call(Method::POST, "reset", None::<&()>).await
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<T> {
        let mut request = self.http.request(method, format!("{}/emulator/{path}", self.endpoint));
        if let Some(body) = body {
            request = request.body(serde_json::to_vec(body)?);
        }
        let response = request.send().await.context("the Neptune emulator does not respond")?;
        let status = response.status();
        let body = response.bytes().await?;
        if !status.is_success() {
            bail!("the Neptune emulator returns {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}
