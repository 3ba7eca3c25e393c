#![doc = include_str!("../README.md")]

pub mod account;
pub mod export;
pub mod graph;
pub mod lww_register;
pub mod media;
pub mod message;
pub mod neptune_fts;
pub mod push;
pub mod search;
pub mod story_files;
pub mod upload;
pub mod user_report;
mod visibility;
