//! What a function of search calls: the tables with the stories, and the secret of cursors, answered at once. Searches are
//! forwarded to the engine, and measured.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use aws_client::{ACCESS_KEY, REGION, SECRET_KEY};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use http_server::{Server, Upstream, json_bytes_response, json_response};
use lambda_runtime_api::Function;
use serde_json::{Value, json};
use stack::functions;

use super::titles;

/// The alias of the index.
pub const ALIAS: &str = "bench";
/// The table of entries.
const TABLE: &str = "search";
/// Limit of a request's body.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The services. They stop when the value is dropped.
pub struct Services {
    server: Server,
    state: Arc<Inner>,
    engine: String,
    analyzer: &'static str,
}

/// Time of one search.
#[derive(Debug, Clone, Copy)]
pub struct SearchTime {
    /// From the request to the complete response.
    pub http: Duration,
    /// The engine's own figure, in whole milliseconds.
    pub took: Duration,
}

struct Inner {
    stories: usize,
    engine: Upstream,
    searches: Mutex<Vec<SearchTime>>,
}

impl Services {
    /// Services with this number of stories, in front of the engine at `engine`.
    pub fn start(stories: usize, engine: &str, analyzer: &'static str) -> Result<Self> {
        let state = Arc::new(Inner { stories, engine: Upstream::new(engine)?, searches: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        Ok(Self { server: Server::start("services", 0, |_| router)?, state, engine: engine.to_owned(), analyzer })
    }

    /// Starts the release build of a function. `search-indexer` calls the engine itself.
    pub async fn function(&self, name: &str) -> Result<Function> {
        let endpoint = self.server.endpoint();
        let engine = if name == "search-indexer" { &self.engine } else { &endpoint };
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("OPENSEARCH_ENDPOINT_URL", engine),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_REGION", REGION),
            ("SEARCH_TABLE", TABLE),
            ("AUDIENCE_TABLE", "audience"),
            ("FOLLOWS_TABLE", "follows"),
            ("SEARCH_INDEX", ALIAS),
            ("SEARCH_ANALYZER", self.analyzer),
            ("SEALING_SECRET_ARN", "sealing"),
            // One caller makes all requests.
            ("CALLER_BURST", "100000"),
            ("CALLER_RATE", "100000"),
            ("QUEUE_URL", &endpoint),
            ("DEAD_LETTER_QUEUE_URL", &endpoint),
        ];
        Function::start(&functions::built_binary(name), &environment).await
    }

    /// The searches since the last call.
    pub fn searches(&self) -> Vec<SearchTime> {
        mem::take(&mut self.state.searches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(State(state): State<Arc<Inner>>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).map(str::to_owned);
    let answer = match target {
        Some(target) => aws(&state, &target, request).await,
        None => forward(&state, request).await,
    };
    // The function reports the failure, and the benchmark ends.
    answer.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response())
}

async fn forward(state: &Inner, request: Request) -> Result<Response> {
    let start = Instant::now();
    let response = state.engine.forward(request).await?;
    let status = response.status();
    let body = to_bytes(Body::new(response.into_body()), MAX_BYTES).await?;
    let http = start.elapsed();
    let answer: Value = serde_json::from_slice(&body)?;
    let took = Duration::from_millis(answer["took"].as_u64().context("no search")?);
    state.searches.lock().unwrap_or_else(PoisonError::into_inner).push(SearchTime { http, took });
    Ok(json_bytes_response(status, body.into()))
}

async fn aws(state: &Inner, target: &str, request: Request) -> Result<Response> {
    let input: Value = serde_json::from_slice(&to_bytes(request.into_body(), MAX_BYTES).await?)?;
    let operation = target.rsplit('.').next().unwrap_or_default();
    let output = match operation {
        "Scan" => page(state.stories, &input),
        "BatchGetItem" => rows(&input),
        "Query" => json!({"Items": [], "Count": 0, "ScannedCount": 0}),
        "GetSecretValue" => json!({"SecretString": "0123456789abcdef0123456789abcdef"}),
        other => bail!("no answer to {other}"),
    };
    Ok(json_response(StatusCode::OK, &output))
}

/// A page of all stories.
fn page(stories: usize, input: &Value) -> Value {
    let after = input["ExclusiveStartKey"]["id"]["S"].as_str().and_then(titles::number);
    let begin = after.map_or(0, |number| number + 1);
    let limit = input["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(stories);
    let end = stories.min(begin + limit);
    let items: Vec<_> = (begin..end).map(titles::row).collect();
    let mut page = json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items});
    if end < stories {
        page["LastEvaluatedKey"] = json!({"id": {"S": titles::id(end - 1)}});
    }
    page
}

/// The rows with the requested keys.
fn rows(input: &Value) -> Value {
    let keys = input["RequestItems"][TABLE]["Keys"].as_array().into_iter().flatten();
    let row = |key: &Value| match key["id"]["S"].as_str()? {
        titles::AUTHOR => Some(titles::author()),
        id => titles::number(id).map(titles::row),
    };
    let rows: Vec<_> = keys.filter_map(row).collect();
    json!({"Responses": {TABLE: rows}, "UnprocessedKeys": {}})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn pages_have_each_story_once() {
        let (mut ids, mut input) = (Vec::new(), json!({"Limit": 3}));
        loop {
            let page = page(7, &input);
            ids.extend(page["Items"].as_array().expect("items").iter().map(|row| row["id"]["S"].clone()));
            match page.get("LastEvaluatedKey") {
                Some(key) => input["ExclusiveStartKey"] = key.clone(),
                None => break,
            }
        }
        assert_eq!(ids, (0..7).map(|number| json!(titles::id(number))).collect::<Vec<_>>());
    }

    #[test]
    fn rows_are_those_of_the_keys() {
        let keys: Vec<_> = [&titles::id(5), "mina", "unknown"].map(|id| json!({"id": {"S": id}})).into();
        let rows = rows(&json!({"RequestItems": {TABLE: {"Keys": keys}}}));
        assert_eq!(rows["Responses"][TABLE], json!([titles::row(5), titles::author()]));
    }

    #[test]
    fn queries_vary() {
        let queries: BTreeSet<_> = (0..2_500).map(|number| titles::query(number, 100_000)).collect();
        assert!(queries.len() > 1_000, "{}", queries.len());
    }
}
