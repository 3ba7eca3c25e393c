use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use domain::media::{Kind as MediaKind, MediaId};
use futures_util::future::try_join_all;
use http::Method;
use serde_json::{Value, json};
use stack::{
    Stack, photographs,
    uploads::UploadFile,
    users::{User, Users},
};

use super::result::result;
use crate::programs::Row;

/// Concurrent users. Each sends less than the rate limit of 50 requests per second.
const CLIENTS: usize = 8;
/// Items in the list.
const ITEMS: usize = 20;
/// Longest wait for an item.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A kind of request.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    path: fn(&Readers, usize) -> String,
}

/// All kinds, in the order of the measurement.
pub const KINDS: [Kind; 2] = [
    Kind { name: "reads of one item", path: |readers, count| format!("/v1/media/{}", readers.items[count % ITEMS]) },
    Kind { name: "reads of a list of 20", path: |readers, _| format!("/v1/media?owner={}&limit=20", readers.owner) },
];

/// Users and the items that they read.
pub struct Readers {
    users: Vec<User>,
    owner: String,
    items: Vec<MediaId>,
}

/// Signs users up and uploads the items.
pub async fn prepare(stack: &Stack) -> Result<Readers> {
    let users = Users::from_stack(stack)?;
    let owner = users.sign_up("미나").await?;
    let photograph = photographs::all()?.into_iter().next().context("no photographs")?;
    let mut items = Vec::with_capacity(ITEMS);
    for _ in 0..ITEMS {
        let file = UploadFile {
            kind: MediaKind::Photo,
            name: &photograph.name,
            content_type: photograph.content_type,
            bytes: photograph.bytes.clone(),
            visibility: "public",
            post: None,
        };
        items.push(file.send(stack, &owner).await?.id);
    }
    let start = Instant::now();
    for id in &items {
        let path = format!("/v1/media/{id}?fields=state");
        loop {
            let response = owner.send(stack, Method::GET, &path, &[], None).await?;
            if serde_json::from_slice::<Value>(&response.body)?["state"] == "ready" {
                break;
            }
            ensure!(start.elapsed() < TIMEOUT, "a photograph does not become ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let readers = try_join_all((0..CLIENTS).map(|_| users.sign_up("준"))).await?;
    Ok(Readers { users: readers, owner: owner.id, items })
}

/// Every user sends requests sequentially for `duration`.
pub async fn run(stack: &Stack, readers: &Readers, kind: &Kind, duration: Duration) -> Result<Row> {
    let start = Instant::now();
    let reads = readers.users.iter().map(|user| async move {
        let mut times = Vec::new();
        while start.elapsed() < duration {
            let sent = Instant::now();
            user.request(stack, Method::GET, &(kind.path)(readers, times.len()), None).await?;
            times.push(sent.elapsed());
        }
        anyhow::Ok(times)
    });
    let times = try_join_all(reads).await?.concat();
    let rate = ("per_second", times.len() as f64 / start.elapsed().as_secs_f64());
    result(kind.name, rate, times, json!({"clients": CLIENTS}))
}
