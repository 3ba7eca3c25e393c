//! Compares the decoder and the encoder with other implementations, and decodes malformed files.

#![expect(clippy::unwrap_used, reason = "test helpers fail by panicking")]

mod encoding;
mod malformed;
mod reference;
mod sample;
