use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Content, Entry, Kind, Person, Story, Tag};
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

    /// Its fields, `publishedAt` in milliseconds since 1970 (0 for what is no story: results are sorted by it).
    /// What cannot be found is a tombstone, and stays: a deletion would be forgotten by the index after
    /// a minute, and a late replay would then bring back what was deleted.
    pub fn source(&self) -> Value {
        match &self.content {
            Content::Story(Story { title, author, published_at, visibility, tags }) => {
                let mut fields = json!({
                    "deleted": false, "kind": Kind::Story, "id": self.vertex, "text": title, "author": author,
                    "visibility": visibility.as_str(), "publishedAt": published_at.as_millisecond(),
                });
                // An index from before there were tags takes stories without them.
                if !tags.is_empty() {
                    fields["tags"] = json!(tags);
                }
                fields
            }
            Content::Person(Person { name }) => self.named(Kind::Person, name),
            Content::Tag(Tag { name }) => self.named(Kind::Tag, name),
            Content::NotSearchable => json!({"deleted": true}),
        }
    }

    /// The fields of what everybody may see by its name.
    fn named(&self, kind: Kind, name: &str) -> Value {
        json!({
            "deleted": false, "kind": kind, "id": self.vertex, "text": name,
            "visibility": Visibility::Public.as_str(), "publishedAt": 0,
        })
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
            tags: vec!["snow".into()],
        });
        let expected = json!({
            "deleted": false, "kind": Kind::Story, "id": "s1", "text": "첫눈", "author": "mina", "visibility": "followers",
            "publishedAt": 1_795_305_600_000_i64, "tags": ["snow"]
        });
        assert_eq!(document("s1", story).source(), expected);
        let person = Content::Person(Person { name: "미나".into() });
        let expected = json!({"deleted": false, "kind": Kind::Person, "id": "p", "text": "미나", "visibility": "public", "publishedAt": 0});
        assert_eq!(document("p", person).source(), expected);
        let tag = Content::Tag(Tag { name: "첫눈".into() });
        let expected = json!({"deleted": false, "kind": "tag", "id": "t", "text": "첫눈", "visibility": "public", "publishedAt": 0});
        assert_eq!(document("t", tag).source(), expected);
        assert_eq!(document("s1", Content::NotSearchable).source(), json!({"deleted": true}));
    }

    #[test]
    fn a_long_id_is_hashed() {
        assert_eq!(document("미나", Content::NotSearchable).id(), "미나");
        let id = document(&"가".repeat(171), Content::NotSearchable).id();
        assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
    }
}
