//! Reads the graph page by page with openCypher.

use std::time::Duration;

use aws_sdk_neptunedata::{Client, config::Builder, config::timeout::TimeoutConfig};
use aws_smithy_types::Document;
use aws_types::SdkConfig;
use function_kit::failure::Failure;
use serde_json::json;

use super::{
    request::Part,
    rows::{Edge, Row, Vertex},
};

const DOING: &str = "read the graph";

/// The rows per page. With values of at most 4,000 characters, this bounds the memory.
const PAGE_ROWS: usize = 500;

/// The timeout for one page. Neptune scans all vertices, or all such edges, for each page.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Vertices with searchable data.
///
/// Pages continue after an id, so that concurrent writes neither skip nor repeat rows. `size` accepts strings only,
/// `toString` accepts any property.
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

/// Edges `told` (from a person to a story), `tagged` (from a story to a tag), `follows` and `blocks` (between persons).
const EDGES: &str = "\
MATCH (p)-[t:told|tagged|follows|blocks]->(s)
WHERE id(t) > $after AND size(id(t)) <= 2048 AND size(id(p)) <= 2048 AND size(id(s)) <= 2048
RETURN id(t) AS id,
  type(t) AS label,
  id(p) AS from,
  id(s) AS to,
  CASE WHEN size(toString(t.createdAt)) <= 100 THEN t.createdAt END AS toldAt,
  CASE WHEN size(toString(s.createdAt)) <= 100 THEN s.createdAt END AS createdAt
ORDER BY id(t)
LIMIT 500";

/// A client for the graph.
#[derive(Debug, Clone)]
pub struct Graph {
    client: Client,
}

/// A page of rows.
#[derive(Debug)]
pub struct Page {
    /// In the order of their ids.
    pub rows: Vec<Row>,
    /// The id after which the next page starts; `None` on the last page.
    pub next: Option<String>,
}

impl Graph {
    /// A client for the cluster at `endpoint_url`, with a timeout of 30 seconds.
    pub fn new(config: &SdkConfig, endpoint_url: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(TIMEOUT).operation_timeout(TIMEOUT);
        let config = Builder::from(config).endpoint_url(endpoint_url).timeout_config(timeouts.build());
        Self { client: Client::from_conf(config.build()) }
    }

    /// The rows after the id `after`.
    ///
    /// # Errors
    /// If Neptune fails; a bug if the response does not match the query.
    #[tracing::instrument(level = "error", skip_all, fields(?part))]
    pub async fn page(&self, part: Part, after: Option<&str>) -> Result<Page, Failure> {
        let query = match part {
            Part::Vertices => VERTICES,
            Part::Edges => EDGES,
        };
        let after = after.unwrap_or_default();
        let request = self.client.execute_open_cypher_query().open_cypher_query(query);
        let response = request.parameters(json!({ "after": after }).to_string()).send().await;
        let response = response.map_err(|error| Failure::aws(DOING, error))?;
        page(part, after, response.results())
            .ok_or_else(|| Failure::bug(DOING, "the response does not match the query"))
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
    let next = rows.last().filter(|_| rows.len() >= PAGE_ROWS).map(|row| row.id().to_owned());
    // A page that ends where it started would repeat forever.
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
    fn full_page_has_a_next_one_after_its_last_id() {
        assert!(VERTICES.ends_with(&format!("LIMIT {PAGE_ROWS}")) && EDGES.ends_with(&format!("LIMIT {PAGE_ROWS}")));
        let rows = |number: usize| Document::Array((0..number).map(|n| row(format!("p{n:03}"))).collect());
        let next = |number, after| page(Part::Vertices, after, &rows(number)).map(|page| page.next);
        assert_eq!(next(499, ""), Some(None));
        assert_eq!(next(500, ""), Some(Some("p499".to_owned())));
        assert_eq!(next(500, "p499"), None);
        assert!(page(Part::Edges, "", &rows(1)).is_none(), "no endpoints");
        assert!(page(Part::Vertices, "", &Document::Null).is_none());
    }
}
