use std::{collections::BTreeMap, sync::Arc};

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use http_server::{json, now};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    answers::Problem,
    commit::Commit,
    database::{Database, NotCommitted},
    faults::{Order, Standing},
    graph::{Edge, Vertex},
    http::App,
};

/// The faults, as they are answered.
#[derive(Debug, Serialize)]
struct FaultsJson<'a> {
    faults: &'a [Standing],
}

/// Which commits to drop.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trim {
    /// The last of them.
    pub through: u64,
}

#[derive(Serialize)]
struct GraphJson<'a> {
    vertices: &'a BTreeMap<String, Vertex>,
    edges: &'a BTreeMap<String, Edge>,
}

pub async fn commit(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let done = parse::<Commit>(&body).and_then(|commit| Ok(app.database().commit(&commit, now())?));
    match done {
        Ok(committed) => json(StatusCode::OK, &committed),
        Err(problem) => app.refuse(problem),
    }
}

pub async fn head(State(app): State<Arc<App>>) -> Response {
    ends(&app, |_| Ok(()))
}

pub async fn trim(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match parse::<Trim>(&body) {
        Ok(Trim { through }) => ends(&app, |database| database.trim(through)),
        Err(problem) => app.refuse(problem),
    }
}

pub async fn reset(State(app): State<Arc<App>>) -> Response {
    ends(&app, Database::reset)
}

pub async fn graph(State(app): State<Arc<App>>) -> Response {
    let database = app.database();
    let graph = database.graph();
    json(StatusCode::OK, &GraphJson { vertices: graph.vertices(), edges: graph.edges() })
}

pub async fn faults(State(app): State<Arc<App>>) -> Response {
    standing(&app.database())
}

pub async fn order_fault(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match parse::<Order>(&body) {
        Ok(order) => {
            let mut database = app.database();
            database.faults.order(order);
            standing(&database)
        }
        Err(problem) => app.refuse(problem),
    }
}

pub async fn clear_faults(State(app): State<Arc<App>>) -> Response {
    let mut database = app.database();
    database.faults.clear();
    standing(&database)
}

/// Does something to the stream and answers where it ends then.
fn ends(app: &App, change: impl FnOnce(&mut Database) -> anyhow::Result<()>) -> Response {
    let mut database = app.database();
    let ends = change(&mut database).and_then(|()| database.ends(now()));
    drop(database);
    match ends {
        Ok(ends) => json(StatusCode::OK, &ends),
        Err(error) => app.refuse(error),
    }
}

fn standing(database: &Database) -> Response {
    json(StatusCode::OK, &FaultsJson { faults: database.faults.standing() })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let malformed =
        |error: serde_json::Error| Problem::new(StatusCode::BAD_REQUEST, "MalformedDocument", error.to_string());
    serde_json::from_slice(body).map_err(malformed)
}

impl From<NotCommitted> for Problem {
    fn from(error: NotCommitted) -> Self {
        match error {
            NotCommitted::Invalid(error) => Self::new(StatusCode::BAD_REQUEST, "InvalidCommit", error.to_string()),
            NotCommitted::Failed(error) => error.into(),
        }
    }
}
