#![doc = include_str!("../README.md")]

mod policy;
mod signer;
mod url;

pub use policy::Policy;
pub use signer::{InvalidKey, Signer};
pub use url::{InvalidBaseUrl, UrlBuilder, UrlError};
