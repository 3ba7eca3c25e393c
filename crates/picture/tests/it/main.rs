//! The crate from outside: real photographs, every kind of each format, hostile files.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking, too")]

mod formats;
mod fuzz;
#[cfg(feature = "heic")]
mod heic;
mod hostile;
mod metadata;
mod orientation;
mod photos;
mod sample;
mod truncation;
