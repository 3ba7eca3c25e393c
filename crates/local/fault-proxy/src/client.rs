use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde::Deserialize;

use super::{counters::CallCount, plan::FaultPlan};

/// Tells a running proxy what is to go wrong.
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
    /// Calls go to `endpoint`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), http: reqwest::Client::new() }
    }

    /// Sets another plan: all is numbered and counted anew.
    pub async fn set(&self, plan: &FaultPlan) -> Result<()> {
        self.call(Method::PUT, serde_json::to_vec(plan)?).await.map(drop)
    }

    /// Ends all faults; the counts since the plan was set.
    pub async fn clear(&self) -> Result<Vec<CallCount>> {
        self.call(Method::DELETE, Vec::new()).await
    }

    /// The counts since the plan was set.
    pub async fn counts(&self) -> Result<Vec<CallCount>> {
        self.call(Method::GET, Vec::new()).await
    }

    async fn call(&self, method: Method, body: Vec<u8>) -> Result<Vec<CallCount>> {
        let request = self.http.request(method, format!("{}/_faults", self.endpoint)).body(body);
        let answer = request.send().await.context("the fault proxy does not answer")?;
        let status = answer.status();
        let body = answer.bytes().await?;
        if !status.is_success() {
            bail!("the fault proxy answers {status}: {}", String::from_utf8_lossy(&body));
        }
        let Counts { counts } = serde_json::from_slice(&body)?;
        Ok(counts)
    }
}
