//! The graph itself, page by page.

use std::time::Duration;

use aws_sdk_neptunedata::{Client, config::Builder, config::timeout::TimeoutConfig};
use aws_smithy_types::Document;
use aws_types::SdkConfig;
use function_kit::failure::Failure;
use serde_json::json;

use super::{
    Part,
    rows::{Edge, Row, Vertex},
};

const DOING: &str = "read the graph";

/// Rows of a page. Bounds what is held: values of more than 4,000 characters stay where they are.
const PAGE: usize = 500;

/// For one page. Neptune looks at every vertex, or at every such edge, for each of them.
const PATIENCE: Duration = Duration::from_secs(30);

/// Vertices with anything that can be found.
///
/// Pages follow each other by id, so that what is written meanwhile neither shifts nor doubles them.
/// `size` takes texts only, `toString` takes whatever a property may be.
const VERTICES: &str = "\
MATCH (v)
WHERE id(v) > $after AND size(id(v)) <= 2048
  AND ('person' IN labels(v) OR 'tag' IN labels(v) OR v.name IS NOT NULL OR v.title IS NOT NULL OR v.visibility IS NOT NULL)
RETURN id(v) AS id,
  labels(v) AS labels,
  CASE WHEN size(toString(v.name)) <= 4000 THEN v.name END AS name,
  CASE WHEN size(toString(v.title)) <= 4000 THEN v.title END AS title,
  v.visibility IS NOT NULL AS hasVisibility,
  CASE WHEN size(toString(v.visibility)) <= 100 THEN v.visibility END AS visibility
ORDER BY id(v)
LIMIT 500";

/// Who told what, and what is tagged with what.
const EDGES: &str = "\
MATCH (p)-[t:told|tagged]->(s)
WHERE id(t) > $after AND size(id(t)) <= 2048 AND size(id(p)) <= 2048 AND size(id(s)) <= 2048
RETURN id(t) AS id,
  type(t) AS label,
  id(p) AS from,
  id(s) AS to,
  CASE WHEN size(toString(t.createdAt)) <= 100 THEN t.createdAt END AS toldAt,
  CASE WHEN size(toString(s.createdAt)) <= 100 THEN s.createdAt END AS createdAt
ORDER BY id(t)
LIMIT 500";

/// The graph behind a cluster's data API.
#[derive(Debug, Clone)]
pub struct Graph {
    client: Client,
}

/// Some of the graph.
#[derive(Debug)]
pub struct Page {
    /// In the order of their ids.
    pub rows: Vec<Row>,
    /// After which id the next page starts, if there may be one.
    pub next: Option<String>,
}

impl Graph {
    /// The graph at `endpoint_url`, reached as `config` says, but with more patience.
    pub fn new(config: &SdkConfig, endpoint_url: impl Into<String>) -> Self {
        let patience = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).operation_timeout(PATIENCE);
        let config = Builder::from(config).endpoint_url(endpoint_url).timeout_config(patience.build());
        Self { client: Client::from_conf(config.build()) }
    }

    /// The rows behind the id `after`.
    ///
    /// # Errors
    /// As Neptune fails; a bug, if its answer is not what the query asks for.
    pub async fn page(&self, part: Part, after: Option<&str>) -> Result<Page, Failure> {
        let query = match part {
            Part::Vertices => VERTICES,
            Part::Edges => EDGES,
        };
        let after = after.unwrap_or_default();
        let request = self.client.execute_open_cypher_query().open_cypher_query(query);
        let answer = request.parameters(json!({ "after": after }).to_string()).send().await;
        let answer = answer.map_err(|error| Failure::aws(DOING, error))?;
        page(part, after, answer.results()).ok_or_else(|| Failure::bug(DOING, "an answer to another question"))
    }
}

fn page(part: Part, after: &str, results: &Document) -> Option<Page> {
    let rows = results.as_array()?.iter().map(|row| {
        let row = row.as_object()?;
        Some(match part {
            Part::Vertices => Row::Vertex(Vertex::read(row)?),
            Part::Edges => Row::Edge(Edge::read(row)?),
        })
    });
    let rows: Vec<_> = rows.collect::<Option<_>>()?;
    let next = rows.last().filter(|_| rows.len() >= PAGE).map(|row| row.id().to_owned());
    // Or it would go on for ever.
    (next.as_deref() != Some(after)).then_some(Page { rows, next })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn row(id: String) -> Document {
        Document::Object(HashMap::from([
            ("id".to_owned(), Document::String(id)),
            ("labels".to_owned(), Document::Array(vec![Document::String("person".to_owned())])),
            ("hasVisibility".to_owned(), Document::Bool(false)),
        ]))
    }

    #[test]
    fn a_full_page_has_a_next_one_and_none_stands_still() {
        assert!(VERTICES.ends_with(&format!("LIMIT {PAGE}")) && EDGES.ends_with(&format!("LIMIT {PAGE}")));
        let rows = |number: usize| Document::Array((0..number).map(|n| row(format!("p{n:03}"))).collect());
        let next = |number, after| page(Part::Vertices, after, &rows(number)).map(|page| page.next);
        assert_eq!(next(499, ""), Some(None));
        assert_eq!(next(500, ""), Some(Some("p499".to_owned())));
        assert_eq!(next(500, "p499"), None);
        assert!(page(Part::Edges, "", &rows(1)).is_none(), "no ends");
        assert!(page(Part::Vertices, "", &Document::Null).is_none());
    }
}
