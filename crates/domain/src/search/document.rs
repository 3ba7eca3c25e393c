use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Content, Entry, Kind, Person, Story, Tag};
use crate::media::Visibility;

/// Longest `_id` of OpenSearch, in bytes.
pub const MAX_DOCUMENT_ID_BYTES: usize = 512;

/// The document of an entry in the index: its whole content at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Id of the vertex.
    pub vertex: String,
    /// Version of the entry. The index accepts a document only with a higher version than its own.
    pub version: u64,
    /// Content of the entry at that version.
    pub content: Content,
}

impl Document {
    /// The document of a vertex.
    pub fn of(vertex: &str, entry: &Entry) -> Self {
        Self { vertex: vertex.to_owned(), version: entry.version(), content: Content::of(entry) }
    }

    /// The `_id`: the vertex's id, or `sha256:<hex>` of it if it is too long.
    pub fn id(&self) -> String {
        if self.vertex.len() <= MAX_DOCUMENT_ID_BYTES {
            return self.vertex.clone();
        }
        format!("sha256:{:x}", Sha256::digest(&self.vertex))
    }

    /// The fields. `publishedAt` is in milliseconds since 1970; 0 for persons and tags, because results are
    /// sorted by it.
    ///
    /// Content that is not searchable is a tombstone document, and never deleted. The index keeps the
    /// version of a deleted document for a minute only, so a late replay would restore the old content.
    pub fn source(&self) -> Value {
        match &self.content {
            Content::Story(Story { title, author, published_at, visibility, tags }) => {
                let mut fields = json!({
                    "deleted": false, "kind": Kind::Story, "id": self.vertex, "text": title, "author": author,
                    "visibility": visibility, "publishedAt": published_at.as_millisecond(),
                });
                // An index of an older version has no field for tags.
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

    /// The fields of a person or tag, which are public.
    fn named(&self, kind: Kind, name: &str) -> Value {
        json!({
            "deleted": false, "kind": kind, "id": self.vertex, "text": name,
            "visibility": Visibility::Public, "publishedAt": 0,
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
    fn document_has_the_listed_fields_only() {
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
    fn long_id_is_hashed() {
        assert_eq!(document("미나", Content::NotSearchable).id(), "미나");
        let id = document(&"가".repeat(171), Content::NotSearchable).id();
        assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
    }
}
