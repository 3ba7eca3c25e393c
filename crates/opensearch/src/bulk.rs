use std::mem;

use domain::{neptune_fts, search};
use function_kit::failure::Failure;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Index, bulk_limits::BulkLimits, client::is_permanent_error};

/// Destination of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The index behind the alias.
    Alias,
    /// The index with this name, such as one that is being rebuilt.
    Index(&'a str),
}

/// Document of an index. It is written as a whole.
pub trait Document {
    /// The document's `_id`.
    fn id(&self) -> String;
    /// External version. The index accepts the document only if it is higher than the stored version.
    fn version(&self) -> u64;
    /// The document's fields.
    fn source(&self) -> Value;
}

impl Document for search::Document {
    fn id(&self) -> String {
        self.id()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn source(&self) -> Value {
        self.source()
    }
}

impl Document for neptune_fts::Document {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn source(&self) -> Value {
        self.source.clone()
    }
}

/// Result of writing a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The document is in the index.
    Written,
    /// The index has this version or a later one.
    Superseded,
    /// The alias does not exist, so there is no index yet.
    NoIndex,
    /// The index cannot accept the document now. The reason.
    Retry(String),
    /// The index will never accept the document. The reason.
    Rejected(String),
}

impl Index {
    /// Writes documents in as many requests as needed. Returns the result of each, in order.
    ///
    /// Each document has a status of its own, independent of the response's status.
    ///
    /// # Errors
    /// If a whole request fails.
    pub async fn write(&self, target: Target<'_>, documents: &[impl Document]) -> Result<Vec<Outcome>, Failure> {
        const DOING: &str = "write documents";
        let path = match target {
            Target::Alias => format!("/{}/_bulk?require_alias=true", self.alias),
            Target::Index(name) => format!("/{name}/_bulk"),
        };
        let mut outcomes = Vec::with_capacity(documents.len());
        for Body { bytes, documents } in bodies(documents, self.bulk_limits) {
            let response = self.client.send(DOING, Method::POST, &path, "application/x-ndjson", bytes).await?;
            let response: BulkResponse = response.read(DOING)?;
            if response.items.len() != documents {
                return Err(Failure::bug(DOING, "the response has another number of documents"));
            }
            outcomes.extend(response.items.into_iter().map(|item| item.index.into()));
        }
        Ok(outcomes)
    }
}

/// Body of one request.
#[derive(Debug, Default, PartialEq, Eq)]
struct Body {
    bytes: Vec<u8>,
    documents: usize,
}

/// Bodies of the requests for `documents`.
fn bodies(documents: &[impl Document], limits: BulkLimits) -> Vec<Body> {
    let mut bodies = Vec::new();
    let mut body = Body::default();
    for document in documents {
        // The external version makes late and repeated writes harmless.
        let action = json!({"index": {
            "_id": document.id(), "version": document.version(), "version_type": "external"
        }});
        let lines = format!("{action}\n{}\n", document.source());
        if body.documents == limits.documents || (body.documents > 0 && body.bytes.len() + lines.len() > limits.bytes) {
            bodies.push(mem::take(&mut body));
        }
        body.bytes.extend(lines.as_bytes());
        body.documents += 1;
    }
    bodies.extend((body.documents > 0).then_some(body));
    bodies
}

#[derive(Deserialize)]
struct BulkResponse {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: ItemStatus,
}

#[derive(Deserialize)]
struct ItemStatus {
    status: u16,
    error: Option<ItemError>,
}

#[derive(Deserialize)]
struct ItemError {
    #[serde(rename = "type")]
    kind: String,
}

impl From<ItemStatus> for Outcome {
    fn from(ItemStatus { status, error }: ItemStatus) -> Self {
        // Only the error's type, because its reason may contain texts of users.
        let kind = error.map_or_else(String::new, |error| error.kind);
        match status {
            200..300 => Self::Written,
            409 => Self::Superseded,
            404 if kind == "index_not_found_exception" => Self::NoIndex,
            _ if is_permanent_error(status, &kind) => Self::Rejected(format!("status {status}, {kind}")),
            _ => Self::Retry(format!("status {status}, {kind}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::search::{Content, Document, Person};
    use proptest::prelude::*;

    use super::*;

    fn documents(count: u64, name_bytes: usize) -> Vec<Document> {
        let content = Content::Person(Person { name: "x".repeat(name_bytes) });
        (1..=count)
            .map(|version| Document { vertex: format!("p{version}"), version, content: content.clone() })
            .collect()
    }

    #[test]
    fn document_is_written_with_external_version() {
        let body = bodies(&documents(1, 4), BulkLimits::default()).remove(0);
        let text = String::from_utf8(body.bytes).expect("UTF-8");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines[0], json!({"index": {"_id": "p1", "version": 1, "version_type": "external"}}));
        assert_eq!(lines[1]["text"], "xxxx");
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn requests_are_limited_in_bytes_and_documents() {
        let limits = BulkLimits::default();
        let counts =
            |documents: &[Document]| bodies(documents, limits).iter().map(|body| body.documents).collect::<Vec<_>>();
        assert_eq!(counts(&[]), [0; 0]);
        assert_eq!(counts(&documents(2_500, 4)), [1_000, 1_000, 500]);
        assert_eq!(counts(&documents(3, limits.bytes / 2)), [1, 1, 1]);
        assert!(bodies(&documents(60, 100_000), limits).iter().all(|body| body.bytes.len() <= limits.bytes));
        // A document above the limit is sent alone, and OpenSearch rejects it.
        assert_eq!(counts(&documents(1, limits.bytes)), [1]);
    }

    #[test]
    fn each_status_maps_to_an_outcome() {
        let outcome = |status, kind: &str| {
            let error = (!kind.is_empty()).then(|| ItemError { kind: kind.to_owned() });
            Outcome::from(ItemStatus { status, error })
        };
        assert_eq!(outcome(201, ""), Outcome::Written);
        assert_eq!(outcome(200, ""), Outcome::Written);
        assert_eq!(outcome(409, "version_conflict_engine_exception"), Outcome::Superseded);
        assert_eq!(outcome(404, "index_not_found_exception"), Outcome::NoIndex);
        let reason = "status 400, mapper_parsing_exception".to_owned();
        assert_eq!(outcome(400, "mapper_parsing_exception"), Outcome::Rejected(reason));
        for (status, kind) in [
            (429, "rejected_execution_exception"),
            (503, "unavailable_shards_exception"),
            (500, ""),
            (403, "cluster_block_exception"),
            (400, "index_closed_exception"),
        ] {
            assert!(matches!(outcome(status, kind), Outcome::Retry(_)), "{status}");
        }
    }

    proptest! {
        /// Only a status of success counts as written.
        #[test]
        fn malformed_response_is_parsed_or_rejected(
            bytes in malformed_inputs::bytes(&[r#"{"items":[{"index":{"status":409,"error":{"type":"version_conflict_engine_exception"}}},{"index":{"status":503}}]}"#]),
        ) {
            if let Ok(response) = serde_json::from_slice::<BulkResponse>(&bytes) {
                for Item { index } in response.items {
                    let status = index.status;
                    prop_assert_eq!(Outcome::from(index) == Outcome::Written, (200..300).contains(&status));
                }
            }
        }
    }
}
