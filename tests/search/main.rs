//! The crate `opensearch` with both search engines.

mod calls;
mod disk;
mod documents;
mod engines;
mod faults;
mod index;
mod pages;
mod relevance;
