//! Searches in a large index: the time of the engine, and that of `search-api`.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use lambda_runtime_api::{Function, Outcome};
use serde_json::{Value, json};
use stack::search_server::{Engine, SearchServer};

use super::{services::Services, times::percentiles, titles};
use crate::programs::{Row, object};

/// Searches before the measurement, so that Java compiles what it executes often.
const WARM_UP: usize = 1_000;
/// Measured searches.
const SEARCHES: usize = 2_500;

/// Measures searches and suggestions.
pub async fn measure(server: &SearchServer, engine: Engine, stories: usize) -> Result<Vec<Row>> {
    let services = Services::start(stories, &server.endpoint(), engine.analyzer())?;
    let mut api = services.function("search-api").await?;
    let mut rows = Vec::new();
    for path in ["/v1/search", "/v1/search/suggestions"] {
        println!("Requesting {path} {SEARCHES} times");
        let event = |number| match path {
            "/v1/search" => event(path, &titles::query(number, stories)),
            _ => event(path, &titles::typed(number)),
        };
        for number in 0..WARM_UP {
            request(&mut api, &event(number)).await?;
        }
        services.searches();
        let mut row = requests(&services, &mut api, event).await?;
        row.insert("row".to_owned(), format!("{path} over {stories} stories with {engine}").into());
        rows.push(row);
    }
    Ok(rows)
}

/// The times of sequential requests: in the engine by its own clock, in the engine with HTTP, and in the rest of the function,
/// which calls DynamoDB without delay.
async fn requests(services: &Services, api: &mut Function, event: impl Fn(usize) -> Value) -> Result<Row> {
    let (mut took, mut engine, mut own, mut items) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let cpu = api.cpu_seconds()?.0;
    for number in 0..SEARCHES {
        let event = event(number);
        let start = Instant::now();
        items += request(api, &event).await?;
        let total = start.elapsed();
        let searches = services.searches();
        let http: Duration = searches.iter().map(|search| search.http).sum();
        own.push(total.saturating_sub(http));
        engine.extend(searches.iter().map(|search| search.http));
        took.extend(searches.iter().map(|search| search.took));
    }
    ensure!(items > SEARCHES, "only {items} items were found");
    let cpu_ms = (api.cpu_seconds()?.0 - cpu) * 1_000.0 / SEARCHES as f64;
    let [took, engine, own] = [took, engine, own].map(percentiles);
    object(json!({
        "row": "", "engine_p50_ms": took.0, "engine_p99_ms": took.1, "engine_p99_target_ms": 50,
        "engine_with_HTTP_p50_ms": engine.0, "engine_with_HTTP_p99_ms": engine.1,
        "own_p50_ms": own.0, "own_p99_ms": own.1, "own_p99_target_ms": 15, "own_CPU_ms": cpu_ms,
        "items_per_response": items as f64 / SEARCHES as f64,
    }))
}

/// Returns the number of items.
async fn request(api: &mut Function, event: &Value) -> Result<usize> {
    let response = match api.invoke(event).await? {
        Outcome::Response(response) => response,
        Outcome::Error(error) => bail!("the request failed: {error}"),
    };
    let body: Value = serde_json::from_str(response["body"].as_str().unwrap_or_default()).unwrap_or_default();
    let items = body["items"].as_array().filter(|_| response["statusCode"] == 200);
    items.map(Vec::len).ok_or_else(|| anyhow::anyhow!("unexpected response: {response}"))
}

fn event(path: &str, query: &str) -> Value {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
    json!({
        "version": "2.0", "routeKey": format!("GET {path}"), "rawPath": path, "headers": {},
        "rawQueryString": format!("q={encoded}"), "queryStringParameters": {"q": query}, "isBase64Encoded": false,
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {"sub": "jun", "token_use": "access"}, "scopes": []}}
        }
    })
}
