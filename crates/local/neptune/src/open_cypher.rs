//! The openCypher endpoint of Neptune's data API. It supports only the two queries of the backend, compared word by word.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    error_response::ErrorResponse,
    graph::{Edge, Graph, Vertex},
    value::Value,
};

/// Vertices with searchable content.
const VERTICES: &str = "\
    MATCH (v) \
    WHERE id(v) > $after AND size(id(v)) <= 2048 \
    AND ('person' IN labels(v) OR 'tag' IN labels(v) OR v.name IS NOT NULL OR v.title IS NOT NULL OR v.visibility IS NOT NULL) \
    RETURN id(v) AS id, labels(v) AS labels, \
    CASE WHEN size(toString(v.name)) <= 4000 THEN v.name END AS name, \
    CASE WHEN size(toString(v.title)) <= 4000 THEN v.title END AS title, \
    v.visibility IS NOT NULL AS hasVisibility, \
    CASE WHEN size(toString(v.visibility)) <= 100 THEN v.visibility END AS visibility \
    ORDER BY id(v) LIMIT 500";

/// The edges `told`, `tagged`, `follows` and `blocks`.
const EDGES: &str = "\
    MATCH (p)-[t:told|tagged|follows|blocks]->(s) \
    WHERE id(t) > $after AND size(id(t)) <= 2048 AND size(id(p)) <= 2048 AND size(id(s)) <= 2048 \
    RETURN id(t) AS id, type(t) AS label, id(p) AS from, id(s) AS to, \
    CASE WHEN size(toString(t.createdAt)) <= 100 THEN t.createdAt END AS toldAt, \
    CASE WHEN size(toString(s.createdAt)) <= 100 THEN s.createdAt END AS createdAt \
    ORDER BY id(t) LIMIT 500";

const PAGE: usize = 500;
const MAX_ID_CHARACTERS: usize = 2_048;

/// One of the two supported queries, with its parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownQuery {
    is_about_edges: bool,
    after: String,
}

#[derive(Deserialize)]
struct QueryRequest {
    query: Option<String>,
    /// JSON in a string.
    parameters: Option<String>,
}

impl KnownQuery {
    /// Parses the body of a request.
    pub fn parse(body: &[u8]) -> Result<Self, ErrorResponse> {
        let bad = |code, message: &str| ErrorResponse::new(StatusCode::BAD_REQUEST, code, message);
        let request: QueryRequest =
            serde_json::from_slice(body).map_err(|error| bad("BadRequestException", &error.to_string()))?;
        let query =
            request.query.ok_or_else(|| bad("MissingParameterException", "Missing required parameter: query"))?;
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let is_about_edges = match words(&query) {
            query if query == words(VERTICES) => false,
            query if query == words(EDGES) => true,
            _ => return Err(bad("MalformedQueryException", "the emulator does not support this query")),
        };
        let parameters = request.parameters.unwrap_or_else(|| "{}".to_owned());
        let parameters: BTreeMap<String, Json> =
            serde_json::from_str(&parameters).map_err(|error| bad("InvalidParameterException", &error.to_string()))?;
        match parameters.get("after") {
            Some(Json::String(after)) => Ok(Self { is_about_edges, after: after.clone() }),
            Some(_) => Err(bad("InvalidParameterException", "after must be a string")),
            None => Err(bad("MissingParameterException", "Missing required parameter: after")),
        }
    }

    /// The result of the query.
    pub fn run(&self, graph: &Graph) -> Result<Json, ErrorResponse> {
        let rows: Vec<_> = if self.is_about_edges {
            let edges = after(graph.edges(), &self.after).filter(|(_, edge)| {
                matches!(edge.label.as_str(), "told" | "tagged" | "follows" | "blocks")
                    && [&edge.from, &edge.to].iter().all(|id| is_short(id, MAX_ID_CHARACTERS))
            });
            edges.map(|(id, edge)| edge_row(graph, id, edge)).take(PAGE).collect()
        } else {
            after(graph.vertices(), &self.after).filter_map(|(id, vertex)| vertex_row(id, vertex)).take(PAGE).collect()
        };
        Ok(json!({ "results": rows }))
    }
}

fn after<'a, T>(all: &'a BTreeMap<String, T>, after: &'a str) -> impl Iterator<Item = (&'a String, &'a T)> {
    all.iter().filter(move |(id, _)| id.as_str() > after && is_short(id, MAX_ID_CHARACTERS))
}

fn vertex_row(id: &str, vertex: &Vertex) -> Option<Json> {
    let is_listed = ["person", "tag"].iter().any(|label| vertex.labels.contains(*label));
    let [name, title, visibility] = ["name", "title", "visibility"].map(|key| vertex.properties.get(key));
    (is_listed || name.is_some() || title.is_some() || visibility.is_some()).then(|| {
        json!({
            "id": id, "labels": vertex.labels, "name": within(name, 4_000), "title": within(title, 4_000),
            "hasVisibility": visibility.is_some(), "visibility": within(visibility, 100),
        })
    })
}

fn edge_row(graph: &Graph, id: &str, edge: &Edge) -> Json {
    let story = graph.vertices().get(&edge.to).and_then(|story| story.properties.get("createdAt"));
    json!({
        "id": id, "label": edge.label, "from": edge.from, "to": edge.to,
        "toldAt": within(edge.properties.get("createdAt"), 100), "createdAt": within(story, 100),
    })
}

/// A value in the form of query results, if its text has at most `characters` UTF-16 units.
fn within(value: Option<&Value>, characters: usize) -> Option<Json> {
    let json = match value? {
        // Query results contain dates as text, unlike the stream.
        Value::Date(milliseconds) => jiff::Timestamp::from_millisecond(*milliseconds).ok()?.to_string().into(),
        value => value.to_json(),
    };
    let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    is_short(&text, characters).then_some(json)
}

/// Counts UTF-16 units, as Java does.
fn is_short(text: &str, characters: usize) -> bool {
    text.encode_utf16().count() <= characters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::Commit;

    fn graph() -> Graph {
        let long = "x".repeat(4_001);
        let commit = Commit::new()
            .add_vertex("mina", ["person"])
            .set("mina", "name", "미나")
            .set("mina", "email", "mina@iyagi.example")
            .add_vertex("s1", ["story"])
            .set("s1", "title", "첫눈")
            .set("s1", "visibility", "followers")
            .set("s1", "createdAt", Value::Date(1_560_011_610_678))
            .add_vertex("s2", ["story"])
            .set("s2", "title", long.as_str())
            .add_vertex("c1", ["comment"])
            .set("c1", "body", "…")
            .add_edge("t1", "told", "mina", "s1")
            .set("t1", "createdAt", 7)
            .add_edge("t2", "told", "mina", "s2")
            .add_vertex("snow", ["tag"])
            .add_edge("x1", "tagged", "s1", "snow")
            .add_edge("l1", "likes", "mina", "s1");
        let mut graph = Graph::default();
        graph.apply(&commit).unwrap();
        graph
    }

    fn run(query: &str, parameters: &str) -> Result<Json, &'static str> {
        let body = json!({"query": query, "parameters": parameters}).to_string();
        let results = KnownQuery::parse(body.as_bytes()).and_then(|query| query.run(&graph()));
        results.map(|mut results| results["results"].take()).map_err(|error| {
            assert_eq!(error.status, StatusCode::BAD_REQUEST);
            error.code
        })
    }

    #[test]
    fn vertex_query_returns_vertices_after_an_id() {
        let mina = json!({
            "id": "mina", "labels": ["person"], "name": "미나", "title": null, "hasVisibility": false, "visibility": null
        });
        let s1 = json!({
            "id": "s1", "labels": ["story"], "name": null, "title": "첫눈", "hasVisibility": true, "visibility": "followers"
        });
        let s2 = json!({
            "id": "s2", "labels": ["story"], "name": null, "title": null, "hasVisibility": false, "visibility": null
        });
        let snow = json!({
            "id": "snow", "labels": ["tag"], "name": null, "title": null, "hasVisibility": false, "visibility": null
        });
        assert_eq!(run(VERTICES, r#"{"after":""}"#), Ok(json!([mina, s1, s2, snow])));
        assert_eq!(run(VERTICES, r#"{"after":"mina"}"#), Ok(json!([s1, s2, snow])));
    }

    #[test]
    fn edge_query_returns_told_and_tagged_edges() {
        let t1 = json!({"id": "t1", "label": "told", "from": "mina", "to": "s1", "toldAt": 7, "createdAt": "2019-06-08T16:33:30.678Z"});
        let t2 = json!({"id": "t2", "label": "told", "from": "mina", "to": "s2", "toldAt": null, "createdAt": null});
        let x1 = json!({"id": "x1", "label": "tagged", "from": "s1", "to": "snow", "toldAt": null, "createdAt": null});
        assert_eq!(
            run(&EDGES.replace(" ", "\n  "), r#"{"after":""}"#),
            Ok(json!([t1, t2, x1])),
            "whitespace does not matter"
        );
        assert_eq!(run(EDGES, r#"{"after":"x1"}"#), Ok(json!([])));
    }

    #[test]
    fn unsupported_query_is_rejected() {
        assert_eq!(run("MATCH (n) DETACH DELETE n", "{}"), Err("MalformedQueryException"));
        assert_eq!(run(VERTICES, "{}"), Err("MissingParameterException"));
        assert_eq!(run(VERTICES, r#"{"after":1}"#), Err("InvalidParameterException"));
        assert_eq!(run(VERTICES, "after"), Err("InvalidParameterException"));
        assert_eq!(KnownQuery::parse(b"{}").map_err(|error| error.code), Err("MissingParameterException"));
        assert_eq!(KnownQuery::parse(b"query=x").map_err(|error| error.code), Err("BadRequestException"));
    }
}
