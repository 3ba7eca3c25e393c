//! Plays an edge of CloudFront before the emulator, which serves distributions but lets everybody in.
//!
//! Each request is held against the distribution as it is deployed at that moment: what belongs to a
//! behavior with trusted key groups passes only with a signed URL (`signed_url.rs`), everything that
//! passes goes on to the emulator, `Range` and all, which asks the bucket's policy. It keeps nothing,
//! so there is nothing to invalidate.
//!
//! `cargo xtask edge` runs it by itself.
//!
//! # What it is told
//!
//! Which distribution: the emulator's only one. Which key groups there are it cannot read there
//! (MiniStack has none): every key that it is given is in every group.
//!
//! # What it leaves out
//!
//! - TLS: it answers to `http`, and tells the emulator that it was `https`.
//! - Signatures with SHA-1, and RSA keys: refused like wrong ones.
//! - Signed cookies, and policies that name addresses of clients.
//!
//! # Refusals
//!
//! 403 with the documents that CloudFront writes: `MissingKey` without `Key-Pair-Id`, `InvalidKey` for
//! one that no group holds, `MalformedPolicy` for a policy that cannot be read, and `AccessDenied` for
//! all else: a signature that is not of this policy, another address, too late.

mod cache_behavior;
mod distribution;
mod signed_url;
mod key;
mod options;
mod access_error;
mod server;

pub use cache_behavior::{CacheBehavior, matches};
pub use signed_url::{ViewerRequest, check};
pub use key::{InvalidPublicKey, KeyPair, PublicKey, PublicKeys};
pub use options::{Arguments, Options};
pub use access_error::AccessError;
pub use server::{EdgeServer, run};
