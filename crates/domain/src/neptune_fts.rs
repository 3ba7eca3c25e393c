//! The mirror: vertices and edges as Neptune's own full-text queries (`Neptune#fts`) look for them.
//!
//! ```text
//! Change ── Element::with ──▶ Element (the table mirror, a row per vertex or edge) ──▶ Document
//! ```
//! The documents are AWS's ("Neptune data model for OpenSearch data", Neptune User Guide). Unlike
//! what `search` keeps they hold everything, also what is private, and know nobody who asks.
//!
//! A change tells only what it touched, so an [`Element`] keeps each label and each value of a
//! property as a last-writer-wins register with the position of the change that said so. Whichever
//! order changes come in, and however often, the document is the same.

mod document;
mod element;
mod newest;

pub use document::Document;
pub use element::{ApplyOutcome, Element, MAX_ID_BYTES, MAX_NAME_BYTES, MAX_NAMES, MAX_ROW_BYTES};
pub use newest::MAX_REGISTERS;
