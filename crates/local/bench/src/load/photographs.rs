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

use super::{super::programs::Row, row};

/// People who upload at the same time, each one photograph after the other.
const CLIENTS: usize = 4;
/// Between two looks at an item: its answer is some of the load.
const LOOK: Duration = Duration::from_millis(100);
/// After which a photograph is lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// Photographs go in for as long as `time`, each from its declaration until its owner sees it ready.
pub async fn run(stack: &Stack, time: Duration) -> Result<Row> {
    let photographs = photographs::all()?;
    let users = Users::from_stack(stack)?;
    let people =
        try_join_all((0..CLIENTS).map(|number| users.sign_up(["미나", "준", "하늘", "소라"][number % 4]))).await?;
    // One each, so that no function is started while it is measured.
    try_join_all(people.iter().map(|user| one(stack, user, &photographs[0]))).await?;
    let begin = Instant::now();
    let uploads = people.iter().map(|user| upload_for(stack, user, &photographs, begin + time));
    let times = try_join_all(uploads).await?.concat();
    let minutes = begin.elapsed().as_secs_f64() / 60.0;
    let per = ("per_minute", times.len() as f64 / minutes);
    row("photographs, from the declaration until they are ready", per, times, json!({"clients": CLIENTS}))
}

async fn upload_for(stack: &Stack, user: &User, all: &[Photograph], end: Instant) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for photograph in all.iter().cycle() {
        if Instant::now() >= end {
            break;
        }
        times.push(one(stack, user, photograph).await?);
    }
    Ok(times)
}

async fn one(stack: &Stack, user: &User, photograph: &Photograph) -> Result<Duration> {
    let begin = Instant::now();
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
        let answer = user.send(stack, Method::GET, &format!("/v1/media/{id}?fields=state"), &[], None).await?;
        let item: serde_json::Value = serde_json::from_slice(&answer.body)?;
        if item["state"] == "ready" {
            return Ok(begin.elapsed());
        }
        ensure!(item["state"] != "failed" && begin.elapsed() < PATIENCE, "a photograph does not get ready: {item}");
        tokio::time::sleep(LOOK).await;
    }
}
