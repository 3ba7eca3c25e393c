use std::{collections::BTreeMap, num::NonZeroU32};

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    commit::Commit,
    control::Trim,
    database::{Committed, EdgeEndpoints},
    faults::{Fault, Order, Standing},
    value::Value,
};

/// Writes to a running emulator and tells it what is to go wrong.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: String,
    http: reqwest::Client,
}

/// A copy of the graph.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphCopy {
    /// By id.
    pub vertices: BTreeMap<String, VertexCopy>,
    /// By id.
    pub edges: BTreeMap<String, EdgeCopy>,
}

/// A copy of a vertex.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VertexCopy {
    /// In alphabetical order.
    pub labels: Vec<String>,
    /// By key.
    pub properties: BTreeMap<String, Value>,
}

/// A copy of an edge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeCopy {
    /// Its label.
    pub label: String,
    /// The vertex where it starts.
    pub from: String,
    /// The vertex where it ends.
    pub to: String,
    /// By key.
    pub properties: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultsCopy {
    faults: Vec<Standing>,
}

impl Client {
    /// Calls go to `endpoint`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), http: reqwest::Client::new() }
    }

    /// Where it is called.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Commits, or fails with the emulator's reason.
    pub async fn commit(&self, commit: &Commit) -> Result<Committed> {
        self.call(Method::POST, "commit", Some(commit)).await
    }

    /// Where the stream ends.
    pub async fn head(&self) -> Result<EdgeEndpoints> {
        self.call(Method::GET, "head", None::<&()>).await
    }

    /// The graph as it is.
    pub async fn graph(&self) -> Result<GraphCopy> {
        self.call(Method::GET, "graph", None::<&()>).await
    }

    /// Orders a fault for so many requests, or until faults are cleared.
    pub async fn fault(&self, fault: Fault, times: Option<NonZeroU32>) -> Result<()> {
        let _: FaultsCopy = self.call(Method::POST, "faults", Some(&Order { fault, times })).await?;
        Ok(())
    }

    /// The faults and how often they have struck.
    pub async fn faults(&self) -> Result<Vec<Standing>> {
        let answer: FaultsCopy = self.call(Method::GET, "faults", None::<&()>).await?;
        Ok(answer.faults)
    }

    /// Ends all faults.
    pub async fn clear_faults(&self) -> Result<()> {
        let _: FaultsCopy = self.call(Method::DELETE, "faults", None::<&()>).await?;
        Ok(())
    }

    /// Drops commits up to and including `through`, as if they had expired.
    pub async fn trim(&self, through: u64) -> Result<EdgeEndpoints> {
        self.call(Method::POST, "trim", Some(&Trim { through })).await
    }

    /// A fast reset: deletes the graph and its stream.
    pub async fn reset(&self) -> Result<EdgeEndpoints> {
        self.call(Method::POST, "reset", None::<&()>).await
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<T> {
        let mut request = self.http.request(method, format!("{}/emulator/{path}", self.endpoint));
        if let Some(body) = body {
            request = request.body(serde_json::to_vec(body)?);
        }
        let answer = request.send().await.context("the Neptune emulator does not answer")?;
        let status = answer.status();
        let body = answer.bytes().await?;
        if !status.is_success() {
            bail!("the Neptune emulator answers {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}
