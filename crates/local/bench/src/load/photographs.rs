use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use domain::media::{Kind, MediaId};
use futures_util::future::try_join_all;
use http::Method;
use serde_json::json;
use stack::{
    Stack,
    photographs::{self, Photograph},
    uploads::UploadFile,
    users::{User, Users},
};

use super::result::result;
use crate::programs::Row;

/// Concurrent users. Each uploads photographs sequentially.
const CLIENTS: usize = 4;
/// Time between two reads of an item. These reads are part of the load.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Longest wait for an item.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Uploads photographs for `duration`. Measures the time from the declaration until the item is ready.
pub async fn run(stack: &Stack, duration: Duration) -> Result<Row> {
    let photographs = photographs::all()?;
    let users = Users::from_stack(stack)?;
    let uploaders =
        try_join_all((0..CLIENTS).map(|number| users.sign_up(["미나", "준", "하늘", "소라"][number % 4]))).await?;
    // Starts the function instances before the measurement.
    try_join_all(uploaders.iter().map(|user| upload(stack, user, &photographs[0]))).await?;
    let start = Instant::now();
    let uploads = uploaders.iter().map(|user| upload_for(stack, user, &photographs, start + duration));
    let times = try_join_all(uploads).await?.concat();
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    let rate = ("per_minute", times.len() as f64 / minutes);
    result("photographs: from declaration to ready", rate, times, json!({"clients": CLIENTS}))
}

async fn upload_for(stack: &Stack, user: &User, photographs: &[Photograph], end: Instant) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for photograph in photographs.iter().cycle() {
        if Instant::now() >= end {
            break;
        }
        times.push(upload(stack, user, photograph).await?);
    }
    Ok(times)
}

async fn upload(stack: &Stack, user: &User, photograph: &Photograph) -> Result<Duration> {
    let start = Instant::now();
    let file = UploadFile {
        kind: Kind::Photo,
        name: &photograph.name,
        content_type: photograph.content_type,
        bytes: photograph.bytes.clone(),
        visibility: "public",
        post: None,
    };
    let id: MediaId = file.send(stack, user).await?.id;
    loop {
        let response = user.send(stack, Method::GET, &format!("/v1/media/{id}?fields=state"), &[], None).await?;
        let item: serde_json::Value = serde_json::from_slice(&response.body)?;
        if item["state"] == "ready" {
            return Ok(start.elapsed());
        }
        ensure!(item["state"] != "failed" && start.elapsed() < TIMEOUT, "a photograph does not become ready: {item}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
