use super::commit::Kind;

/// A commit was rejected because of an invalid write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write {index}: {reason}")]
pub struct InvalidCommit {
    /// Index of the write, from 0.
    pub index: usize,
    /// The error.
    pub reason: InvalidWrite,
}

/// Why a write is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWrite {
    /// The id is in use.
    #[error("the id {id} belongs to another {}", .kind.as_str())]
    Duplicate {
        /// The kind of element.
        kind: Kind,
        /// The id.
        id: String,
    },
    /// No element of this kind has the id.
    #[error("there is no {} {id}", .kind.as_str())]
    Unknown {
        /// The kind of element.
        kind: Kind,
        /// The id.
        id: String,
    },
    /// Neither a vertex nor an edge has the id.
    #[error("there is neither a vertex nor an edge {0}")]
    UnknownElement(String),
    /// A vertex and an edge share the id, and the write names no kind.
    #[error("a vertex and an edge share the id {0}: name the kind with \"of\"")]
    Ambiguous(String),
    /// The vertex does not have the label.
    #[error("the vertex {id} has no label {label}")]
    UnknownLabel {
        /// The vertex.
        id: String,
        /// The label.
        label: String,
    },
    /// The last label of a vertex cannot be removed.
    #[error("{label} is the only label of the vertex {id}")]
    LastLabel {
        /// The vertex.
        id: String,
        /// The label.
        label: String,
    },
    /// An id, a label or a key is empty.
    #[error("ids, labels and keys must not be empty")]
    Empty,
    /// JSON cannot represent the value.
    #[error("the value of {0} is not finite")]
    NotFinite(String),
}
