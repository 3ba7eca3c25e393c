//! Where clients fetch what was made of their uploads.
//!
//! What everybody may see has an address that never changes, so that every cache on the way can keep
//! it. All else has an address that CloudFront lets pass for a while, because we signed it. Which of
//! the two a file is stands in its key ([`domain::media::is_public_key`]).
//!
//! Pure: what time it is and where the key comes from is told.

mod address;
mod policy;
mod signer;

pub use address::{Addresses, InvalidBaseUrl, NotSigned};
pub use policy::Policy;
pub use signer::{InvalidKey, Signer};
