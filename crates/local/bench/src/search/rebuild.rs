//! A rebuild of the index from the table.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use lambda_runtime_api::Outcome;
use serde_json::json;
use stack::search_server::{Engine, SearchServer};

use super::{
    index::delete,
    services::{ALIAS, Services},
};
use crate::programs::{Row, object};

/// Rebuilds of a quarter, half and all of the stories, each by a new process of `search-indexer`. The last one stays.
pub async fn measure(server: &SearchServer, engine: Engine, stories: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (number, stories) in [stories / 4, stories / 2, stories].into_iter().enumerate() {
        println!("Rebuilding an index of {stories} stories");
        let services = Services::start(stories, &server.endpoint(), engine.analyzer())?;
        rows.push(rebuild(&services, number + 1, stories).await?);
        if number > 0 {
            delete(&server.endpoint(), &format!("{ALIAS}-{number:06}")).await?;
        }
    }
    Ok(rows)
}

/// Rebuilds in as many invocations as it takes.
async fn rebuild(services: &Services, number: usize, stories: usize) -> Result<Row> {
    let mut indexer = services.function("search-indexer").await?;
    let (mut command, mut written, mut invocations) = (json!({"number": number}), 0, 0);
    let start = Instant::now();
    loop {
        let progress = match indexer.invoke(&json!({"rebuild": command})).await? {
            Outcome::Response(progress) => progress,
            Outcome::Error(error) => bail!("the rebuild failed: {error}"),
        };
        written += progress["offered"].as_u64().with_context(|| format!("no progress: {progress}"))?;
        ensure!(progress["refused"] == 0, "documents were refused: {progress}");
        invocations += 1;
        match progress.get("rebuild") {
            Some(next) => command = next.clone(),
            None => break,
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    object(json!({
        "row": format!("rebuild of {stories} documents, each written in both passes"),
        "documents_per_second": stories as f64 / seconds, "documents_written": written,
        "peak_memory_kib": indexer.peak_memory()? / 1_024, "CPU_seconds": indexer.cpu_seconds()?.0,
        "seconds": seconds, "invocations": invocations,
    }))
}
