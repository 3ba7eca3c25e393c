//! Tests of the public API: real photographs, all kinds of each format, truncated, damaged and
//! malicious files.

#![expect(clippy::unwrap_used, reason = "test helpers fail by panicking")]

mod cases;
mod chroma;
mod damaged;
mod ends;
mod formats;
#[cfg(feature = "heic")]
mod heic;
#[cfg(feature = "heic")]
mod heic_file;
mod jpeg;
mod malicious;
mod metadata;
mod orientation;
mod photos;
mod png;
mod sample;
mod truncation;
