//! The crate `opensearch` with both search engines.

mod documents;
mod engines;
mod faults;
mod index;
mod relevance;
