//! An index of many stories: its rebuild from the table, and searches in it.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use domain::{
    graph::{GenerationPosition, Position},
    search::{Query, Register, register_text},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::Method;
use opensearch::{MatchMode, Search, Viewer};
use serde_json::{Value, json};
use stack::{Stack, users::User};

use super::titles;
use crate::{
    load::processes::Sampler,
    programs::{Row, object},
};

/// Items per request, DynamoDB's maximum.
const BATCH: usize = 25;
/// Concurrent requests that fill the table.
const CONCURRENCY: usize = 8;
/// Number of searches of each kind.
const SEARCHES: usize = 1_000;

/// Queries: one word, several, a compound with a space, without a space, a name prefix.
const QUERIES: [&str; 8] =
    ["서울", "첫눈", "고양이 할머니", "골목 길", "첫사랑이야기", "아버지의", "커피", "부산 빗소리"];
/// Partially typed queries.
const TYPED: [&str; 4] = ["서우", "ㅈㅎㅊ", "첫사라", "할머"];

/// Measures the rebuild and the searches.
pub async fn measure(stack: &Stack, user: &User, stories: usize) -> Result<Vec<Row>> {
    fill_table(stack, stories).await?;
    let mut rows = rebuild(stack).await?;
    let engine = stack.search_engine();
    for (mode, path, queries) in
        [(MatchMode::Words, "/v1/search", &QUERIES[..]), (MatchMode::Prefixes, "/v1/search/suggestions", &TYPED[..])]
    {
        let mut row = search(stack, user, mode, path, queries).await?;
        row.insert("row".to_owned(), json!(format!("{path} over {stories} stories with {engine}")));
        rows.push(row);
    }
    Ok(rows)
}

/// Writes the rows that `search-indexer` would write for the stories.
async fn fill_table(stack: &Stack, stories: usize) -> Result<()> {
    println!("Writing {stories} rows");
    let (table, aws) = (stack.output("SearchTableName")?, stack.aws());
    let numbers: Vec<usize> = (0..stories).collect();
    stream::iter(numbers.chunks(BATCH))
        .map(Ok::<_, anyhow::Error>)
        .try_for_each_concurrent(CONCURRENCY, |numbers| {
            let puts: Vec<_> = numbers.iter().map(|number| json!({"PutRequest": {"Item": row(*number)}})).collect();
            let aws = &aws;
            async move {
                let input = json!({"RequestItems": {table: puts}});
                let response = aws.json("dynamodb", "DynamoDB_20120810.BatchWriteItem", &input).await?;
                let unprocessed = response["UnprocessedItems"].as_object().is_some_and(|items| !items.is_empty());
                ensure!(!unprocessed, "rows were not written");
                Ok(())
            }
        })
        .await
}

/// A row of the table (`store::search`).
fn row(number: usize) -> Value {
    let position = GenerationPosition { generation: 0, position: Position::new(number as u64 + 1, 1) };
    let register = |value: String| json!({"S": register_text(&Register::new(position, &value))});
    json!({
        "id": {"S": format!("bench-{number:06}")}, "version": {"N": "1"}, "r:title": register(titles::title(number)),
        "r:told#e": register(format!("{} mina", titles::published_at(number))),
        "r:visibility": register("public".to_owned()),
    })
}

/// Rebuilds the index in as many invocations as it takes.
async fn rebuild(stack: &Stack) -> Result<Vec<Row>> {
    println!("Rebuilding the index");
    let path = format!("/2015-03-31/functions/{}/invocations", stack.output("SearchIndexerName")?);
    let sampler = Sampler::start(stack.processes());
    let start = Instant::now();
    let (mut command, mut offered, mut invocations) = (json!({"number": 2}), 0, 0);
    loop {
        let event = json!({"rebuild": command}).to_string().into_bytes();
        let response = stack.aws().send("lambda", Method::POST, &path, &[], event).await?;
        let progress: Value = serde_json::from_slice(&response.body)?;
        offered += progress["offered"].as_u64().with_context(|| format!("the rebuild failed: {progress}"))?;
        invocations += 1;
        match progress.get("rebuild") {
            Some(next) => command = next.clone(),
            None => break,
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let memory = sampler.stop()?.memory()?;
    let mut rows = vec![object(json!({
        "row": "rebuild: each document is written in both passes", "documents_written": offered,
        "documents_per_second": offered as f64 / seconds, "invocations": invocations,
    }))?];
    rows.extend(memory.into_iter().filter(|row| row["row"].as_str().is_some_and(|row| row.contains("SearchIndexer"))));
    Ok(rows)
}

/// The times of searches inside the engine, and of requests of a client.
async fn search(stack: &Stack, user: &User, mode: MatchMode, path: &str, queries: &[&str]) -> Result<Row> {
    println!("Searching");
    let (http, url) = (reqwest::Client::new(), format!("{}/search/_search", stack.search_endpoint()));
    let (mut engine, mut client, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for (number, text) in queries.iter().cycle().take(SEARCHES).enumerate() {
        let query = Query::parse(text).context("no query")?;
        let body = Search { query: Some((mode, &query)), kind: None, tag: None }.body(
            Viewer { caller: &user.id, followed: &[] },
            None,
            21,
        );
        let start = Instant::now();
        let request = http.post(&url).header("content-type", "application/json").body(body.to_string());
        let response: Value = serde_json::from_slice(&request.send().await?.bytes().await?)?;
        client.push(start.elapsed().as_millis() as u64);
        engine.push(response["took"].as_u64().with_context(|| format!("the search failed: {response}"))?);
        // A request through the emulator of API Gateway takes longer.
        if number % 10 == 0 {
            let query: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let start = Instant::now();
            user.request(stack, Method::GET, &format!("{path}?q={query}"), None).await?;
            requests.push(start.elapsed().as_millis() as u64);
        }
    }
    let [engine, client, requests] = [engine, client, requests].map(percentiles);
    object(json!({
        "row": "",
        "engine_p50_ms": engine.0, "engine_p99_ms": engine.1, "engine_p99_target_ms": 50,
        "with_HTTP_p50_ms": client.0, "with_HTTP_p99_ms": client.1,
        "API_request_p50_ms": requests.0, "API_request_p99_ms": requests.1,
    }))
}

fn percentiles(mut times: Vec<u64>) -> (Option<u64>, Option<u64>) {
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied();
    (at(50), at(99))
}
