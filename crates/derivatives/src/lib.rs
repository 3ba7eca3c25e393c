#![doc = include_str!("../README.md")]
//!
//! | item | task |
//! |---|---|
//! | [`run`] | wires a function with its [`Renderer`] |
//! | [`Worker`] | processes S3 events in the order above |
//! | [`Ports`] | the services of a worker; [`AwsPorts`] implements them |
//! | [`Originals`] | reads originals and what they were declared as |
//! | [`CdnCache`] | invalidates the CDN, by a call of [`CloudFront`] |

mod aws_ports;
mod cdn_cache;
mod clean_up;
mod cloudfront;
mod config;
mod file;
mod originals;
mod ports;
mod run;
mod slow_lane;
mod worker;

pub use aws_ports::AwsPorts;
pub use cdn_cache::CdnCache;
pub use cloudfront::{CloudFront, Refusal};
pub use file::{Content, File, content_hash};
pub use originals::{Original, Originals};
pub use ports::Ports;
pub use run::run;
pub use worker::{Job, RenderResult, Rendered, Renderer, Worker};
