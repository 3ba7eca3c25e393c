//! Inputs and helpers that the contract tests and the end-to-end tests share.
//!
//! All functions panic on an error: a test that calls one of them fails.

pub mod bytes;
pub mod invalid_recordings;
pub mod oversized_pictures;
pub mod photographs;
pub mod queues;
pub mod recordings;
pub mod s3_events;
pub mod wait;
pub mod wav;
