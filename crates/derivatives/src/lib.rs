#![doc = include_str!("../README.md")]
//!
//! | item | task |
//! |---|---|
//! | [`run`] | wires a function with its [`Renderer`] |
//! | [`Worker`] | processes S3 events in the order above |
//! | [`Ports`] | the services of a worker; [`AwsPorts`] combines those below |
//! | [`Originals`] | reads originals and what they were declared as |
//! | [`DerivedFiles`] | stores and deletes derivatives |
//! | [`CdnCache`] | invalidates the CDN |
//! | [`Reports`] | sends reports to `metadata-writer` |

mod cdn_cache;
mod clean_up;
mod config;
mod derived_files;
mod originals;
mod ports;
mod reports;
mod run;
mod worker;

pub use cdn_cache::CdnCache;
pub use derived_files::{Content, DerivedFiles, File, content_hash};
pub use originals::{Original, Originals};
pub use ports::{AwsPorts, Ports};
pub use reports::Reports;
pub use run::run;
pub use worker::{Job, RenderResult, Rendered, Renderer, Worker};
