#![doc = include_str!("../README.md")]

pub mod graph;
pub mod media;
pub mod message;
pub mod neptune_fts;
pub mod push;
pub mod register;
pub mod search;
pub mod upload;
mod visibility;
