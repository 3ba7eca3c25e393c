use std::{collections::BTreeMap, sync::Arc};

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use http_server::{json_response, now_millis};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    commit::Commit,
    database::{CommitError, Database},
    error_response::ErrorResponse,
    faults::{ActiveFault, FaultRequest},
    graph::{Edge, Vertex},
    state::App,
};

/// The body of responses about faults.
#[derive(Debug, Serialize)]
struct FaultsJson<'a> {
    faults: &'a [ActiveFault],
}

/// A request to expire commits.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trim {
    /// Number of the last commit to expire.
    pub through: u64,
}

#[derive(Serialize)]
struct GraphJson<'a> {
    vertices: &'a BTreeMap<String, Vertex>,
    edges: &'a BTreeMap<String, Edge>,
}

pub async fn commit(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let result = parse::<Commit>(&body).and_then(|commit| Ok(app.database().commit(&commit, now_millis())?));
    match result {
        Ok(committed) => json_response(StatusCode::OK, &committed),
        Err(error) => app.error(error),
    }
}

pub async fn head(State(app): State<Arc<App>>) -> Response {
    bounds(&app, |_| Ok(()))
}

pub async fn trim(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match parse::<Trim>(&body) {
        Ok(Trim { through }) => bounds(&app, |database| database.trim(through)),
        Err(error) => app.error(error),
    }
}

pub async fn reset(State(app): State<Arc<App>>) -> Response {
    bounds(&app, Database::reset)
}

pub async fn graph(State(app): State<Arc<App>>) -> Response {
    let database = app.database();
    let graph = database.graph();
    json_response(StatusCode::OK, &GraphJson { vertices: graph.vertices(), edges: graph.edges() })
}

pub async fn faults(State(app): State<Arc<App>>) -> Response {
    active_faults(&app.database())
}

pub async fn inject_fault(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match parse::<FaultRequest>(&body) {
        Ok(request) => {
            let mut database = app.database();
            database.faults.inject(request);
            active_faults(&database)
        }
        Err(error) => app.error(error),
    }
}

pub async fn clear_faults(State(app): State<Arc<App>>) -> Response {
    let mut database = app.database();
    database.faults.clear();
    active_faults(&database)
}

/// Changes the database and responds with the bounds of the stream.
fn bounds(app: &App, change: impl FnOnce(&mut Database) -> anyhow::Result<()>) -> Response {
    let mut database = app.database();
    let bounds = change(&mut database).and_then(|()| database.bounds(now_millis()));
    drop(database);
    match bounds {
        Ok(bounds) => json_response(StatusCode::OK, &bounds),
        Err(error) => app.error(error),
    }
}

fn active_faults(database: &Database) -> Response {
    json_response(StatusCode::OK, &FaultsJson { faults: database.faults.all() })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ErrorResponse> {
    let malformed =
        |error: serde_json::Error| ErrorResponse::new(StatusCode::BAD_REQUEST, "MalformedDocument", error.to_string());
    serde_json::from_slice(body).map_err(malformed)
}

impl From<CommitError> for ErrorResponse {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Invalid(error) => Self::new(StatusCode::BAD_REQUEST, "InvalidCommit", error.to_string()),
            CommitError::Failed(error) => error.into(),
        }
    }
}
