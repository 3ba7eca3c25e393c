use super::commit::Kind;

/// Why a commit was refused, whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write {index}: {reason}")]
pub struct InvalidCommit {
    /// The write, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub reason: InvalidWrite,
}

/// What can be wrong with a write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWrite {
    /// It is there already.
    #[error("the id {id} belongs to another {}", .kind.as_str())]
    Duplicate {
        /// What.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// It is not there.
    #[error("there is no {} {id}", .kind.as_str())]
    Unknown {
        /// What.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// Nothing has that id.
    #[error("there is neither a vertex nor an edge {0}")]
    UnknownElement(String),
    /// A vertex and an edge have that id, and the write does not say which it means.
    #[error("both a vertex and an edge are called {0}: say which with \"of\"")]
    Ambiguous(String),
    /// The vertex does not have it.
    #[error("the vertex {id} has no label {label}")]
    UnknownLabel {
        /// The vertex.
        id: String,
        /// The label.
        label: String,
    },
    /// Every vertex has a label.
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
    /// JSON cannot hold the value.
    #[error("the value of {0} is not finite")]
    NotFinite(String),
}
