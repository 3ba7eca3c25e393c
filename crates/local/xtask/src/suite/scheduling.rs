//! How tests share the cores.

use std::{num::NonZero, process::Command, thread};

/// Contract and end-to-end tests that run at the same time, at least. They mostly wait for queues, so libtest's number, that
/// of the cores, leaves a small machine idle.
const WAITING_TESTS: usize = 8;

/// Lets tests that wait overlap.
pub fn overlap(tests: &mut Command) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    tests.env("RUST_TEST_THREADS", cores.max(WAITING_TESTS).to_string());
}
