use std::mem;

use domain::{neptune_fts, search};
use function_kit::failure::Failure;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Index, client::is_wrong};

/// The most bytes of one request: OpenSearch advises 5 to 15 MB.
const MAX_BYTES: usize = 5 * 1024 * 1024;
/// The most documents of one request.
const MAX_DOCUMENTS: usize = 1_000;

/// Where documents go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// Where the alias leads.
    Alias,
    /// An index that is being made.
    Index(&'a str),
}

/// A document of an index: always the whole of it.
pub trait Document {
    /// Its `_id`.
    fn id(&self) -> String;
    /// The index takes it only if this is higher than that of what it has.
    fn version(&self) -> u64;
    /// Its fields.
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

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the index.
    Written,
    /// The index knows this version already, or a later one.
    Superseded,
    /// The alias leads nowhere: there is no index yet.
    NoIndex,
    /// The index cannot take it now; why.
    Later(String),
    /// The index will never take it; why.
    Refused(String),
}

impl Index {
    /// Offers documents to the index, in requests of bounded size; what became of each, in order.
    ///
    /// An answer of 200 says nothing of the documents: each has a status of its own.
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
        for Body { bytes, documents } in bodies(documents) {
            let answer = self.client.send(DOING, Method::POST, &path, "application/x-ndjson", bytes).await?;
            let answer: Answered = answer.read(DOING)?;
            if answer.items.len() != documents {
                return Err(Failure::bug(DOING, "an answer about other documents"));
            }
            outcomes.extend(answer.items.into_iter().map(|item| item.index.into()));
        }
        Ok(outcomes)
    }
}

/// The body of one request.
#[derive(Debug, Default, PartialEq, Eq)]
struct Body {
    bytes: Vec<u8>,
    documents: usize,
}

/// The bodies of as many requests as it takes.
fn bodies(documents: &[impl Document]) -> Vec<Body> {
    let mut bodies = Vec::new();
    let mut body = Body::default();
    for document in documents {
        // The version orders what arrives, in whatever order it does.
        let action = json!({"index": {
            "_id": document.id(), "version": document.version(), "version_type": "external"
        }});
        let lines = format!("{action}\n{}\n", document.source());
        if body.documents == MAX_DOCUMENTS || (body.documents > 0 && body.bytes.len() + lines.len() > MAX_BYTES) {
            bodies.push(mem::take(&mut body));
        }
        body.bytes.extend(lines.as_bytes());
        body.documents += 1;
    }
    bodies.extend((body.documents > 0).then_some(body));
    bodies
}

#[derive(Deserialize)]
struct Answered {
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
        // Its reason may repeat texts.
        let kind = error.map_or_else(String::new, |error| error.kind);
        match status {
            200..300 => Self::Written,
            409 => Self::Superseded,
            404 if kind == "index_not_found_exception" => Self::NoIndex,
            _ if is_wrong(status) => Self::Refused(format!("status {status}, {kind}")),
            _ => Self::Later(format!("status {status}, {kind}")),
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
    fn each_document_has_its_version() {
        let body = bodies(&documents(1, 4)).remove(0);
        let text = String::from_utf8(body.bytes).expect("UTF-8");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines[0], json!({"index": {"_id": "p1", "version": 1, "version_type": "external"}}));
        assert_eq!(lines[1]["text"], "xxxx");
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn bodies_are_bounded() {
        let counts = |documents: &[Document]| bodies(documents).iter().map(|body| body.documents).collect::<Vec<_>>();
        assert_eq!(counts(&[]), [0; 0]);
        assert_eq!(counts(&documents(2_500, 4)), [1_000, 1_000, 500]);
        assert_eq!(counts(&documents(3, MAX_BYTES / 2)), [1, 1, 1]);
        assert!(bodies(&documents(60, 100_000)).iter().all(|body| body.bytes.len() <= MAX_BYTES));
        // What is too large alone goes alone, and is refused.
        assert_eq!(counts(&documents(1, MAX_BYTES)), [1]);
    }

    #[test]
    fn every_status_means_something() {
        let outcome = |status, kind: &str| {
            let error = (!kind.is_empty()).then(|| ItemError { kind: kind.to_owned() });
            Outcome::from(ItemStatus { status, error })
        };
        assert_eq!(outcome(201, ""), Outcome::Written);
        assert_eq!(outcome(200, ""), Outcome::Written);
        assert_eq!(outcome(409, "version_conflict_engine_exception"), Outcome::Superseded);
        assert_eq!(outcome(404, "index_not_found_exception"), Outcome::NoIndex);
        let refused = "status 400, mapper_parsing_exception".to_owned();
        assert_eq!(outcome(400, "mapper_parsing_exception"), Outcome::Refused(refused));
        for (status, kind) in
            [(429, "es_rejected_execution_exception"), (503, "x"), (500, ""), (403, "cluster_block_exception")]
        {
            assert!(matches!(outcome(status, kind), Outcome::Later(_)), "{status}");
        }
    }

    proptest! {
        /// Only what is said to be written, is: a status that cannot be read is no success.
        #[test]
        fn a_damaged_answer_is_read_or_refused(
            bytes in malformed_inputs::bytes(&[r#"{"items":[{"index":{"status":409,"error":{"type":"version_conflict_engine_exception"}}},{"index":{"status":503}}]}"#]),
        ) {
            if let Ok(answer) = serde_json::from_slice::<Answered>(&bytes) {
                for Item { index } in answer.items {
                    let status = index.status;
                    prop_assert_eq!(Outcome::from(index) == Outcome::Written, (200..300).contains(&status));
                }
            }
        }
    }
}
