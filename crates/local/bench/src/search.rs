//! From a commit in the graph to who finds it.
//!
//! What a change means for the index is measured by a program of `domain`; the way of a story, from
//! its commit until the API answers with it, on a deployed stack of the release binaries.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::Method;
use neptune::Commit;
use serde_json::json;
use stack::{
    Stack, functions, tools,
    users::{User, Users},
};
use uuid::Uuid;

use super::programs::{self, Row};

/// The stack that is measured.
const STACK: &str = "bench";
/// Stories that are told, one after the other.
const STORIES: usize = 200;
/// How long to wait for one before something must be wrong: the poller's first tick may take a minute.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures, prints a table, and writes the same figures to `target/bench/search.json`.
pub fn run() -> Result<()> {
    let mut rows = programs::measured("domain", "search")?;
    tools::install()?;
    functions::build(functions::BuildProfile::Release)?;
    let stack = Stack::start(STACK)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(commit_to_found(&stack));
    stack.stop()?;
    rows.push(measured?);
    programs::keep("search", &rows)
}

/// The row of the way from commit to answer. The poller is running already when it begins.
async fn commit_to_found(stack: &Stack) -> Result<Row> {
    let user = Users::from_stack(stack)?.sign_up("미나").await?;
    let graph = stack.neptune();
    graph.commit(&Commit::new().add_vertex(&user.id, ["person"]).set(&user.id, "name", "미나")).await?;
    told_and_found(stack, &user).await?;
    let mut times = Vec::with_capacity(STORIES);
    for _ in 0..STORIES {
        times.push(told_and_found(stack, &user).await?);
    }
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1)).map(Duration::as_millis);
    let row = json!({
        "row": "from commit to the API's answer, one story at a time", "stories": STORIES,
        "p50_ms": at(50).map(|ms| ms as u64), "p50_target_ms": 1_000,
        "p99_ms": at(99).map(|ms| ms as u64), "p99_target_ms": 3_000,
    });
    row.as_object().cloned().context("a row is an object")
}

/// How long it takes until a story is found by its title.
async fn told_and_found(stack: &Stack, user: &User) -> Result<Duration> {
    let (id, word) = (format!("story-{}", Uuid::new_v4()), Uuid::new_v4().simple().to_string());
    let story = Commit::new().add_vertex(&id, ["story"]).set(&id, "title", format!("서울 {word}"));
    let start = Instant::now();
    stack.neptune().commit(&story.add_edge(format!("told:{id}"), "told", &user.id, &id)).await?;
    let path = format!("/v1/search?q={word}");
    loop {
        let page = user.request(stack, Method::GET, &path, None).await?;
        if page["items"][0]["id"] == id {
            return Ok(start.elapsed());
        }
        ensure!(start.elapsed() < PATIENCE, "a story is not found");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
