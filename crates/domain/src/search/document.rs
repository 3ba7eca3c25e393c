use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Content, Entry, Kind, Person, Story};
use crate::media::Visibility;

/// The longest `_id` that OpenSearch takes, in bytes.
pub const MAX_DOCUMENT_ID_BYTES: usize = 512;

/// What the index is told of an entry: always the whole of it, at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The vertex's id.
    pub vertex: String,
    /// The entry's. The index takes a document only if its version is higher than what it has.
    pub version: u64,
    /// What the entry is at that version.
    pub content: Content,
}

impl Document {
    /// The document of a vertex.
    pub fn of(vertex: &str, entry: &Entry) -> Self {
        Self { vertex: vertex.to_owned(), version: entry.version(), content: Content::of(entry) }
    }

    /// Its `_id`: the vertex's id, or `sha256:<hex>` of it where that is too long.
    pub fn id(&self) -> String {
        if self.vertex.len() <= MAX_DOCUMENT_ID_BYTES {
            return self.vertex.clone();
        }
        format!("sha256:{:x}", Sha256::digest(&self.vertex))
    }

    /// Its fields, `publishedAt` in milliseconds since 1970 (0 for a person: results are sorted by it).
    /// What cannot be found is a tombstone, and stays: a deletion would be forgotten by the index after
    /// a minute, and a late replay would then bring back what was deleted.
    pub fn source(&self) -> Value {
        match &self.content {
            Content::Story(Story { title, author, published_at, visibility }) => json!({
                "deleted": false, "kind": Kind::Story, "id": self.vertex, "text": title, "author": author,
                "visibility": visibility.as_str(), "publishedAt": published_at.as_millisecond(),
            }),
            Content::Person(Person { name }) => json!({
                "deleted": false, "kind": Kind::Person, "id": self.vertex, "text": name,
                "visibility": Visibility::Public.as_str(), "publishedAt": 0,
            }),
            Content::Nothing => json!({"deleted": true}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(vertex: &str, content: Content) -> Document {
        Document { vertex: vertex.to_owned(), version: 1, content }
    }

    #[test]
    fn holds_what_is_listed_and_no_more() {
        let story = Content::Story(Story {
            title: "첫눈".into(),
            author: "mina".into(),
            published_at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            visibility: Visibility::Followers,
        });
        let expected = json!({
            "deleted": false, "kind": Kind::Story, "id": "s1", "text": "첫눈", "author": "mina", "visibility": "followers",
            "publishedAt": 1_795_305_600_000_i64
        });
        assert_eq!(document("s1", story).source(), expected);
        let person = Content::Person(Person { name: "미나".into() });
        let expected = json!({"deleted": false, "kind": Kind::Person, "id": "p", "text": "미나", "visibility": "public", "publishedAt": 0});
        assert_eq!(document("p", person).source(), expected);
        assert_eq!(document("s1", Content::Nothing).source(), json!({"deleted": true}));
    }

    #[test]
    fn a_long_id_is_hashed() {
        assert_eq!(document("미나", Content::Nothing).id(), "미나");
        let id = document(&"가".repeat(171), Content::Nothing).id();
        assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
    }
}
