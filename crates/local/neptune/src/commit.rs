use serde::{Deserialize, Serialize};

use super::value::Value;

/// A transaction: its writes are applied in order, all or none.
///
/// ```
/// use neptune::{Commit, Value};
///
/// let commit = Commit::new()
///     .add_vertex("p1", ["person"])
///     .set("p1", "name", "미나")
///     .set("p1", "joined", Value::Date(1_560_011_610_678))
///     .add_vertex("p2", ["person"])
///     .add_edge("f1", "follows", "p1", "p2");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Commit {
    /// Commit time in milliseconds since 1970; by default, the time of arrival. Tests create old records with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_timestamp: Option<i64>,
    /// Whether to leave the commit out of the stream, as if streams were off. Tests create graphs that are older than
    /// their streams with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unstreamed: bool,
    /// The writes.
    pub writes: Vec<Write>,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Write {
    /// Adds a new vertex. Without labels it gets Neptune's default label, `vertex`.
    AddVertex {
        /// The id.
        id: String,
        /// The labels.
        #[serde(default)]
        labels: Vec<String>,
    },
    /// Removes a vertex, its properties and its incident edges.
    RemoveVertex {
        /// The id.
        id: String,
    },
    /// Adds a label to a vertex.
    AddLabel {
        /// The vertex.
        id: String,
        /// The label.
        label: String,
    },
    /// Removes a label from a vertex. The last label cannot be removed.
    RemoveLabel {
        /// The vertex.
        id: String,
        /// The label.
        label: String,
    },
    /// Adds a new edge.
    AddEdge {
        /// The id.
        id: String,
        /// The label.
        label: String,
        /// Id of the source vertex.
        from: String,
        /// Id of the target vertex.
        to: String,
    },
    /// Removes an edge and its properties.
    RemoveEdge {
        /// The id.
        id: String,
    },
    /// Adds or replaces a property of single cardinality.
    Set {
        /// The vertex or edge.
        id: String,
        /// The property.
        key: String,
        /// The new value.
        value: Value,
        /// The kind of element; required if a vertex and an edge share the id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Kind>,
    },
    /// Removes a property, if it exists.
    RemoveProperty {
        /// The vertex or edge.
        id: String,
        /// The property.
        key: String,
        /// The kind of element; required if a vertex and an edge share the id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Kind>,
    },
}

/// The two kinds of elements. In Neptune a vertex and an edge may share an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A vertex.
    Vertex,
    /// An edge.
    Edge,
}

impl Kind {
    /// The name for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vertex => "vertex",
            Self::Edge => "edge",
        }
    }
}

impl Commit {
    /// An empty commit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the commit time in milliseconds since 1970.
    pub fn requested_at(mut self, epoch_ms: i64) -> Self {
        self.commit_timestamp = Some(epoch_ms);
        self
    }

    /// Leaves the commit out of the stream.
    pub fn unstreamed(mut self) -> Self {
        self.unstreamed = true;
        self
    }

    /// Adds a vertex.
    pub fn add_vertex<L: Into<String>>(self, id: impl Into<String>, labels: impl IntoIterator<Item = L>) -> Self {
        let labels = labels.into_iter().map(Into::into).collect();
        self.then(Write::AddVertex { id: id.into(), labels })
    }

    /// Removes a vertex.
    pub fn remove_vertex(self, id: impl Into<String>) -> Self {
        self.then(Write::RemoveVertex { id: id.into() })
    }

    /// Adds a label to a vertex.
    pub fn add_label(self, id: impl Into<String>, label: impl Into<String>) -> Self {
        self.then(Write::AddLabel { id: id.into(), label: label.into() })
    }

    /// Removes a label from a vertex.
    pub fn remove_label(self, id: impl Into<String>, label: impl Into<String>) -> Self {
        self.then(Write::RemoveLabel { id: id.into(), label: label.into() })
    }

    /// Adds an edge.
    pub fn add_edge(
        self,
        id: impl Into<String>,
        label: impl Into<String>,
        from: impl Into<String>,
        to: impl Into<String>,
    ) -> Self {
        self.then(Write::AddEdge { id: id.into(), label: label.into(), from: from.into(), to: to.into() })
    }

    /// Removes an edge.
    pub fn remove_edge(self, id: impl Into<String>) -> Self {
        self.then(Write::RemoveEdge { id: id.into() })
    }

    /// Sets a property of the vertex or edge `id`.
    pub fn set(self, id: impl Into<String>, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.then(Write::Set { id: id.into(), key: key.into(), value: value.into(), of: None })
    }

    /// Removes a property of the vertex or edge `id`.
    pub fn remove_property(self, id: impl Into<String>, key: impl Into<String>) -> Self {
        self.then(Write::RemoveProperty { id: id.into(), key: key.into(), of: None })
    }

    /// Adds a write.
    pub fn then(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builder_makes_the_documented_example() {
        let text = r#"{
            "commitTimestamp": 1560011610678,
            "writes": [
                {"addVertex": {"id": "p1", "labels": ["person"]}},
                {"set": {"id": "p1", "key": "name", "value": "미나"}},
                {"set": {"id": "p1", "key": "joined", "value": {"value": 1560011610678, "dataType": "Date"}}},
                {"addEdge": {"id": "f1", "label": "follows", "from": "p1", "to": "p2"}},
                {"removeProperty": {"id": "p1", "key": "name", "of": "vertex"}},
                {"addLabel": {"id": "p1", "label": "author"}},
                {"removeLabel": {"id": "p1", "label": "person"}},
                {"removeEdge": {"id": "f1"}},
                {"removeVertex": {"id": "p1"}}
            ]
        }"#;
        let commit = Commit::new()
            .requested_at(1_560_011_610_678)
            .add_vertex("p1", ["person"])
            .set("p1", "name", "미나")
            .set("p1", "joined", Value::Date(1_560_011_610_678))
            .add_edge("f1", "follows", "p1", "p2")
            .then(Write::RemoveProperty { id: "p1".into(), key: "name".into(), of: Some(Kind::Vertex) })
            .add_label("p1", "author")
            .remove_label("p1", "person")
            .remove_edge("f1")
            .remove_vertex("p1");
        assert_eq!(serde_json::from_str::<Commit>(text).unwrap(), commit);
        let parsed: Commit = serde_json::from_str(&serde_json::to_string(&commit).unwrap()).unwrap();
        assert_eq!(parsed, commit);
    }

    #[test]
    fn commit_with_unknown_fields_is_invalid() {
        for text in [
            r#"{"writes":[],"comment":""}"#,
            r#"{}"#,
            r#"{"writes":[{"addVertex":{"id":"p","label":"person"}}]}"#,
            r#"{"writes":[{"dropAll":{}}]}"#,
        ] {
            assert!(serde_json::from_str::<Commit>(text).is_err(), "{text}");
        }
    }
}
