//! Time from a commit in the graph until the search finds it.
//!
//! A benchmark of `domain` measures the computation of index changes. The time from the commit of a story until the API
//! returns it is measured on a deployed stack, with OpenSearch where Java is installed.

mod bulk;
mod large_index;
mod titles;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use http::Method;
use neptune::Commit;
use serde_json::json;
use stack::{
    Stack, functions,
    search_server::Engine,
    tools,
    users::{User, Users},
};
use uuid::Uuid;

use super::programs::{self, Row};

/// The name of the stack.
const STACK: &str = "bench";
/// Number of stories for the time until a story is found. They are created sequentially.
const STORIES: usize = 200;
/// Longest wait for a story. The poller's first run may start after a minute.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Options of `cargo xtask bench search`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Use the functions as last built, and leave out the computation of index changes.
    #[arg(long)]
    as_built: bool,
    /// Number of stories in the large index.
    #[arg(long, default_value_t = 100_000)]
    stories: usize,
}

/// Runs the benchmark and writes the results to `target/bench/search.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut rows = Vec::new();
    tools::install()?;
    if !arguments.as_built {
        rows = programs::measure("domain", "search")?;
        functions::build(functions::BuildProfile::Release)?;
    }
    let stack = Stack::start(STACK, Engine::for_tests()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(&stack, arguments.stories));
    stack.stop()?;
    rows.extend(measured?);
    programs::report("search", &rows)
}

async fn measure(stack: &Stack, stories: usize) -> Result<Vec<Row>> {
    let user = Users::from_stack(stack)?.sign_up("미나").await?;
    let mut rows = vec![measure_search_delay(stack, &user).await?];
    rows.extend(bulk::measure(stack).await?);
    rows.extend(large_index::measure(stack, &user, stories).await?);
    Ok(rows)
}

/// Measures the time from commit to search result while the poller runs.
async fn measure_search_delay(stack: &Stack, user: &User) -> Result<Row> {
    let graph = stack.neptune();
    graph.commit(&Commit::new().add_vertex(&user.id, ["person"]).set(&user.id, "name", "미나")).await?;
    // Waits for the poller to start.
    search_delay(stack, user).await?;
    let mut times = Vec::with_capacity(STORIES);
    for _ in 0..STORIES {
        times.push(search_delay(stack, user).await?);
    }
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1)).map(Duration::as_millis);
    programs::object(json!({
        "row": format!("from commit to search result, one story at a time, with {}", stack.search_engine()),
        "stories": STORIES,
        "p50_ms": at(50).map(|ms| ms as u64), "p50_target_ms": 1_000,
        "p99_ms": at(99).map(|ms| ms as u64), "p99_target_ms": 3_000,
    }))
}

/// The time from the commit of a new story until a search by its title returns it.
async fn search_delay(stack: &Stack, user: &User) -> Result<Duration> {
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
        ensure!(start.elapsed() < TIMEOUT, "the search does not find a story");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
