//! Search: what can be found of the graph, and by whom.
//!
//! ```text
//! Change ── facts ──▶ Fact, Fact, … ── Entry::learn ──▶ Entry (the table search, a row per vertex)
//!                                                         ├── Document: what the index holds
//!                                                         └── Content: what is shown, and to whom
//! ```
//! Found are stories (a vertex that somebody `told`, by its `title`), persons and tags (vertices
//! labelled `person` or `tag`, by their `name`), and nothing else of the graph leaves it: no other
//! property, no other vertex. A story may be `tagged`, by an edge to a tag. A story's property `visibility` is `public`, `followers` or `private`; a story that never
//! had one is public, and one whose visibility cannot be read, or was taken away, is private.
//!
//! A change tells only what it touched, and the queue keeps no order between a story and the edge
//! that says who told it. So an [`Entry`] keeps each fact as a register with the position of the
//! change that said so; whichever order changes come in, and however often, the entry is the same.

mod content;
mod document;
mod entry;
mod facts;
mod generation_position;
mod highlight;
mod kind;
mod query;
#[cfg(test)]
mod testing;
mod text;

pub use content::{Content, MAX_TAGS, Person, Story, Tag};
pub use document::{Document, MAX_DOCUMENT_ID_BYTES};
pub use entry::{Entry, InvalidRegister};
pub use facts::{Fact, facts};
pub use generation_position::{GenerationPosition, Register};
pub use highlight::{MARK_BEGIN, MARK_END, Segment, segments};
pub use kind::Kind;
pub use query::{InvalidQuery, MAX_QUERY_CHARACTERS, Query};
pub use text::{MAX_TEXT_BYTES, clean};
