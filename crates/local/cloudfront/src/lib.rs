//! An emulator of a CloudFront edge. It is a proxy in front of MiniStack, which serves distributions without access
//! control.
//!
//! Each request is checked against the distribution as it is deployed at that moment. A cache behavior with trusted key
//! groups requires a signed URL (`signed_url.rs`). Allowed requests are forwarded to MiniStack, which checks the bucket
//! policy. Nothing is cached, so there is nothing to invalidate.
//!
//! `cargo xtask edge` runs one as a process.
//!
//! # Configuration
//!
//! MiniStack must have exactly one distribution. It has no key groups, so every configured key is trusted in every group.
//!
//! # Limitations
//!
//! - No TLS: the server uses `http`, and MiniStack gets `x-forwarded-proto: https`.
//! - Signatures with SHA-1 and RSA keys are rejected as invalid.
//! - No signed cookies, and no policies with client IP addresses.
//!
//! # Errors
//!
//! 403 with CloudFront's documents: `MissingKey` without `Key-Pair-Id`, `InvalidKey` for an untrusted key,
//! `MalformedPolicy` for an invalid policy, and `AccessDenied` otherwise.

mod access_error;
mod cache_behavior;
mod distribution;
mod key;
mod options;
mod server;
mod signed_url;

pub use access_error::AccessError;
pub use cache_behavior::{CacheBehavior, matches_pattern};
pub use key::{InvalidPublicKey, KeyPair, PublicKey, PublicKeys};
pub use options::{Arguments, Options};
pub use server::{EdgeServer, run};
pub use signed_url::{ViewerRequest, verify_signed_url};
