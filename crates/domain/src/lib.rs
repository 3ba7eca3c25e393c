//! The rules of IYAGI's backend, as plain values and pure functions.
//!
//! Architecture invariant: nothing here does I/O, reads a clock or an environment variable, or
//! knows of AWS's client libraries or of the Lambda runtime. What time it is, it is told.

pub mod graph;
pub mod media;
pub mod message;
pub mod neptune_fts;
pub mod push;
pub mod search;
pub mod upload;
mod visibility;
