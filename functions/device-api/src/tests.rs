//! Tests of the whole function with a fake AWS, and helpers for the unit tests.

mod collection;
mod devices;
mod erasure;
mod feedback;
pub mod fixtures;
mod handler;
mod in_memory_backend;
mod interleavings;
