#![doc = include_str!("../README.md")]

pub mod page_token;
pub mod rate_limit;
pub mod renewed;
pub mod request;
pub mod response;
pub mod serve;
