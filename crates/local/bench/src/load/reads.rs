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

use super::{super::programs::Row, row};

/// People who read at the same time: each may ask 50 times a second, which they do not come near.
const CLIENTS: usize = 8;
/// Items in the list that is read.
const ITEMS: usize = 20;
/// After which a photograph is lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is read.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    path: fn(&Readers, usize) -> String,
}

/// All that is read, one after the other.
pub const KINDS: [Kind; 2] = [
    Kind { name: "reads of one item", path: |readers, turn| format!("/v1/media/{}", readers.items[turn % ITEMS]) },
    Kind { name: "reads of a list of 20", path: |readers, _| format!("/v1/media?owner={}&limit=20", readers.owner) },
];

/// Those who read, and what there is to read.
pub struct Readers {
    people: Vec<User>,
    owner: String,
    items: Vec<MediaId>,
}

/// Signs readers up, and uploads what they read.
pub async fn prepare(stack: &Stack) -> Result<Readers> {
    let users = Users::from_stack(stack)?;
    let owner = users.sign_up("미나").await?;
    let photograph = photographs::all()?.into_iter().next().context("there are no photographs")?;
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
    let begin = Instant::now();
    for id in &items {
        let path = format!("/v1/media/{id}?fields=state");
        loop {
            let answer = owner.send(stack, Method::GET, &path, &[], None).await?;
            if serde_json::from_slice::<Value>(&answer.body)?["state"] == "ready" {
                break;
            }
            ensure!(begin.elapsed() < PATIENCE, "a photograph does not get ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let people = try_join_all((0..CLIENTS).map(|_| users.sign_up("준"))).await?;
    Ok(Readers { people, owner: owner.id, items })
}

/// Everybody reads for as long as `time`, one answer after the other.
pub async fn run(stack: &Stack, readers: &Readers, kind: &Kind, time: Duration) -> Result<Row> {
    let begin = Instant::now();
    let reads = readers.people.iter().map(|user| async move {
        let mut times = Vec::new();
        while begin.elapsed() < time {
            let asked = Instant::now();
            user.request(stack, Method::GET, &(kind.path)(readers, times.len()), None).await?;
            times.push(asked.elapsed());
        }
        anyhow::Ok(times)
    });
    let times = try_join_all(reads).await?.concat();
    let per = ("per_second", times.len() as f64 / begin.elapsed().as_secs_f64());
    row(kind.name, per, times, json!({"clients": CLIENTS}))
}
