//! Tests of the whole function with an in-memory backend.

mod changes;
mod follows;
mod in_memory_backend;
mod mirror;
mod search;
