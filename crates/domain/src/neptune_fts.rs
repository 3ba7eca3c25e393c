//! Documents for Neptune's own full-text queries (`Neptune#fts`): a mirror of vertices and edges.
//!
//! ```text
//! Change ── Element::apply ──▶ Element (the table mirror, a row per vertex or edge) ──▶ Document
//! ```
//! The documents have AWS's format ("Neptune data model for OpenSearch data", Neptune User Guide).
//! Unlike the index of `search`, they contain all properties, including private ones, and have no access
//! control.
//!
//! A change contains only what it touched. So an [`Element`] keeps each label and each value of a
//! property as an LWW register, and any order and repetition of changes gives the same document.

mod bounded_map;
mod document;
mod element;
mod element_register;
#[cfg(test)]
mod tests;

pub use bounded_map::MAX_REGISTERS;
pub use document::Document;
pub use element::{ApplyOutcome, Element, MAX_ID_BYTES, MAX_NAME_BYTES, MAX_NAMES, MAX_ROW_BYTES};
