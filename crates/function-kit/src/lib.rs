#![doc = include_str!("../README.md")]

pub mod aws;
pub mod batch;
pub mod config;
pub mod endpoint_url;
pub mod error_code;
pub mod failure;
mod failure_kind;
pub mod logs;
pub mod metrics;
pub mod nonce;
