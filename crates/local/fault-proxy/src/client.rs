use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde::Deserialize;

use super::{counters::CallCount, plan::FaultPlan};

/// A client of a running proxy: sets fault plans and reads counters.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Counts {
    counts: Vec<CallCount>,
}

impl Client {
    /// A client of the proxy at `endpoint`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), http: reqwest::Client::new() }
    }

    /// Sets a plan and resets all counters.
    pub async fn set(&self, plan: &FaultPlan) -> Result<()> {
        self.call(Method::PUT, serde_json::to_vec(plan)?).await.map(drop)
    }

    /// Removes all faults and returns the counters since the plan was set.
    pub async fn clear(&self) -> Result<Vec<CallCount>> {
        self.call(Method::DELETE, Vec::new()).await
    }

    /// The counters since the plan was set.
    pub async fn counts(&self) -> Result<Vec<CallCount>> {
        self.call(Method::GET, Vec::new()).await
    }

    async fn call(&self, method: Method, body: Vec<u8>) -> Result<Vec<CallCount>> {
        let request = self.http.request(method, format!("{}/_faults", self.endpoint)).body(body);
        let response = request.send().await.context("the fault proxy does not respond")?;
        let status = response.status();
        let body = response.bytes().await?;
        if !status.is_success() {
            bail!("the fault proxy returns {status}: {}", String::from_utf8_lossy(&body));
        }
        let Counts { counts } = serde_json::from_slice(&body)?;
        Ok(counts)
    }
}
