//! The data API's openCypher endpoint, as far as the backend asks it: two queries, known word by word.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    answers::Problem,
    graph::{Edge, Graph, Vertex},
    value::Value,
};

/// Vertices with anything that can be found.
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

/// Who told what, and what is tagged with what.
const EDGES: &str = "\
    MATCH (p)-[t:told|tagged]->(s) \
    WHERE id(t) > $after AND size(id(t)) <= 2048 AND size(id(p)) <= 2048 AND size(id(s)) <= 2048 \
    RETURN id(t) AS id, type(t) AS label, id(p) AS from, id(s) AS to, \
    CASE WHEN size(toString(t.createdAt)) <= 100 THEN t.createdAt END AS toldAt, \
    CASE WHEN size(toString(s.createdAt)) <= 100 THEN s.createdAt END AS createdAt \
    ORDER BY id(t) LIMIT 500";

const PAGE: usize = 500;
const MAX_ID_CHARACTERS: usize = 2_048;

/// A query that is known, and where its page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    is_about_edges: bool,
    after: String,
}

#[derive(Deserialize)]
struct Asked {
    query: Option<String>,
    /// JSON in a text.
    parameters: Option<String>,
}

impl Question {
    /// Reads a request's body.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let bad = |code, message: &str| Problem::new(StatusCode::BAD_REQUEST, code, message);
        let asked: Asked =
            serde_json::from_slice(body).map_err(|error| bad("BadRequestException", &error.to_string()))?;
        let query = asked.query.ok_or_else(|| bad("MissingParameterException", "Missing required parameter: query"))?;
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let is_about_edges = match words(&query) {
            query if query == words(VERTICES) => false,
            query if query == words(EDGES) => true,
            _ => return Err(bad("MalformedQueryException", "this query is none of those that are played here")),
        };
        let parameters = asked.parameters.unwrap_or_else(|| "{}".to_owned());
        let parameters: BTreeMap<String, Json> =
            serde_json::from_str(&parameters).map_err(|error| bad("InvalidParameterException", &error.to_string()))?;
        match parameters.get("after") {
            Some(Json::String(after)) => Ok(Self { is_about_edges, after: after.clone() }),
            Some(_) => Err(bad("InvalidParameterException", "after must be a text")),
            None => Err(bad("MissingParameterException", "there is no parameter after")),
        }
    }

    /// What the graph says to it.
    pub fn answer(&self, graph: &Graph) -> Result<Json, Problem> {
        let rows: Vec<_> = if self.is_about_edges {
            let edges = behind(graph.edges(), &self.after).filter(|(_, edge)| {
                matches!(edge.label.as_str(), "told" | "tagged")
                    && [&edge.from, &edge.to].iter().all(|id| is_short(id, MAX_ID_CHARACTERS))
            });
            edges.map(|(id, edge)| edge_row(graph, id, edge)).take(PAGE).collect()
        } else {
            behind(graph.vertices(), &self.after).filter_map(|(id, vertex)| vertex_row(id, vertex)).take(PAGE).collect()
        };
        Ok(json!({ "results": rows }))
    }
}

fn behind<'a, T>(all: &'a BTreeMap<String, T>, after: &'a str) -> impl Iterator<Item = (&'a String, &'a T)> {
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

/// A value as a result has it, if its text has at most so many characters.
fn within(value: Option<&Value>, characters: usize) -> Option<Json> {
    let json = match value? {
        // As a text, unlike in the stream.
        Value::Date(milliseconds) => jiff::Timestamp::from_millisecond(*milliseconds).ok()?.to_string().into(),
        value => value.to_json(),
    };
    let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    is_short(&text, characters).then_some(json)
}

/// By UTF-16's count, as Java's.
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

    fn ask(query: &str, parameters: &str) -> Result<Json, &'static str> {
        let body = json!({"query": query, "parameters": parameters}).to_string();
        let answer = Question::parse(body.as_bytes()).and_then(|question| question.answer(&graph()));
        answer.map(|mut answer| answer["results"].take()).map_err(|problem| {
            assert_eq!(problem.status, StatusCode::BAD_REQUEST);
            problem.code
        })
    }

    #[test]
    fn says_what_is_listed_of_vertices_behind_a_place() {
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
        assert_eq!(ask(VERTICES, r#"{"after":""}"#), Ok(json!([mina, s1, s2, snow])));
        assert_eq!(ask(VERTICES, r#"{"after":"mina"}"#), Ok(json!([s1, s2, snow])));
    }

    #[test]
    fn says_who_told_what_and_when() {
        let t1 = json!({"id": "t1", "label": "told", "from": "mina", "to": "s1", "toldAt": 7, "createdAt": "2019-06-08T16:33:30.678Z"});
        let t2 = json!({"id": "t2", "label": "told", "from": "mina", "to": "s2", "toldAt": null, "createdAt": null});
        let x1 = json!({"id": "x1", "label": "tagged", "from": "s1", "to": "snow", "toldAt": null, "createdAt": null});
        assert_eq!(
            ask(&EDGES.replace(" ", "\n  "), r#"{"after":""}"#),
            Ok(json!([t1, t2, x1])),
            "however it is laid out"
        );
        assert_eq!(ask(EDGES, r#"{"after":"x1"}"#), Ok(json!([])));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert_eq!(ask("MATCH (n) DETACH DELETE n", "{}"), Err("MalformedQueryException"));
        assert_eq!(ask(VERTICES, "{}"), Err("MissingParameterException"));
        assert_eq!(ask(VERTICES, r#"{"after":1}"#), Err("InvalidParameterException"));
        assert_eq!(ask(VERTICES, "after"), Err("InvalidParameterException"));
        assert_eq!(Question::parse(b"{}").map_err(|problem| problem.code), Err("MissingParameterException"));
        assert_eq!(Question::parse(b"query=x").map_err(|problem| problem.code), Err("BadRequestException"));
    }
}
