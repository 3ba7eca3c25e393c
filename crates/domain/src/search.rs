//! Search: the searchable content of the graph and its visibility.
//!
//! ```text
//! Change ── facts ──▶ Fact, Fact, … ── Entry::apply_all ──▶ Entry (the table search, a row per vertex)
//!                                                             ├── Document: the content in the index
//!                                                             └── Content: the content to display, and its visibility
//! ```
//! Searchable are stories (target of an edge `told`, with a `title`), and persons and tags (label
//! `person` or `tag`, with a `name`). No other property and no other vertex is indexed. An edge `tagged`
//! leads from a story to a tag. A story's property `visibility` is `public`, `followers` or `private`. A
//! story that never had one is public; a removed or unknown one is private.
//!
//! A change contains only what it touched, and changes of different entities may arrive in any order. So
//! an [`Entry`] keeps each fact as an LWW register, and any order and repetition of changes gives the
//! same entry.

mod content;
mod document;
mod entry;
mod facts;
mod hangul;
mod highlight;
mod normalized_query;
mod register_text;
mod result_kind;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;

pub use content::{Content, MAX_TAGS, Person, Story, Tag};
pub use document::{Document, MAX_DOCUMENT_ID_BYTES};
pub use entry::Entry;
pub use facts::{Fact, facts};
pub use hangul::completions;
pub use highlight::{MARK_BEGIN, MARK_END, Segment, segments};
pub use normalized_query::{InvalidQuery, MAX_QUERY_CHARACTERS, Query};
pub use register_text::{InvalidRegister, Register, register_text};
pub use result_kind::Kind;
pub(crate) use text::{MAX_TEXT_BYTES, normalize};
