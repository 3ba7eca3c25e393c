//! Tests of the whole function with a fake AWS, and helpers for the unit tests.

mod devices;
mod fake_aws;
pub mod fixtures;
mod handler;
