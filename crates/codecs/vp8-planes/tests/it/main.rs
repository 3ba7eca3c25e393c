//! Compares all samples with image-webp, and decodes truncated and damaged frames.

#![expect(clippy::unwrap_used, reason = "test helpers fail by panicking")]

mod malformed;
mod reference;
mod sample;
