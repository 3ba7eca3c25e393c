//! Search: time from a commit in the graph until the search finds it, bulk requests, rebuilds and searches of a large index.
//!
//! A benchmark of `domain` measures the computation of index changes. The time from the commit of a story until the API
//! returns it is measured on a deployed stack. All else is measured with the functions' release builds and an engine, without
//! the emulator of AWS.

mod bulk;
mod index;
mod rebuild;
mod searches;
mod services;
mod times;
mod titles;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use http::Method;
use neptune::Commit;
use serde_json::json;
use stack::{
    Stack, functions,
    search_server::{Engine, SearchServer},
    tools,
    users::{User, Users},
};
use uuid::Uuid;

use self::times::percentiles;
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
    /// Search engine: opensearch where Java is installed, else the embedded one.
    #[arg(long, value_enum)]
    search: Option<Engine>,
    /// Leave out the time from commit to search result, for which a stack is deployed.
    #[arg(long)]
    without_stack: bool,
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
    let engine = arguments.search.map_or_else(Engine::for_tests, Ok)?;
    println!("The benchmark searches with {engine}.");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if !arguments.without_stack {
        let stack = Stack::start(STACK, engine)?;
        let measured = runtime.block_on(measure_search_delay(&stack));
        stack.stop()?;
        rows.push(measured?);
    }
    let server = SearchServer::start_measured(engine, STACK)?;
    rows.extend(runtime.block_on(measure_engine(&server, engine, arguments.stories))?);
    programs::report("search", &rows)
}

async fn measure_engine(server: &SearchServer, engine: Engine, stories: usize) -> Result<Vec<Row>> {
    let mut rows = bulk::measure(server, engine).await?;
    rows.extend(rebuild::measure(server, engine, stories).await?);
    rows.extend(searches::measure(server, engine, stories).await?);
    Ok(rows)
}

/// Measures the time from commit to search result while the poller runs.
async fn measure_search_delay(stack: &Stack) -> Result<Row> {
    let user = &Users::from_stack(stack)?.sign_up("미나").await?;
    let graph = stack.neptune();
    graph.commit(&Commit::new().add_vertex(&user.id, ["person"]).set(&user.id, "name", "미나")).await?;
    // Waits for the poller to start.
    search_delay(stack, user).await?;
    let mut times = Vec::with_capacity(STORIES);
    for _ in 0..STORIES {
        times.push(search_delay(stack, user).await?);
    }
    let (p50, p99) = percentiles(times);
    programs::object(json!({
        "row": format!("from commit to search result, one story at a time, with {}", stack.search_engine()),
        "stories": STORIES,
        "p50_ms": p50, "p50_target_ms": 1_000, "p99_ms": p99, "p99_target_ms": 3_000,
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
