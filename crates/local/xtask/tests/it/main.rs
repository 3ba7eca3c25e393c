//! Checks of the repository as a whole.

mod dependencies;
mod documents;
mod import_cycles;
mod infrastructure;
mod openapi;
mod parsers;
mod sidecar;
