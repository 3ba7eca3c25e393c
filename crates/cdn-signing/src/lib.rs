#![doc = include_str!("../README.md")]

mod policy;
mod signature_cache;
mod signed_urls;
mod signer;

pub use policy::Policy;
pub use signed_urls::{InvalidBaseUrl, UrlBuilder, UrlError};
pub use signer::{InvalidKey, Signer};
