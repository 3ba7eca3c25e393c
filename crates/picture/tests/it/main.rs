//! The crate from outside: real photographs, every kind of each format, hostile files.

mod formats;
mod fuzz;
mod hostile;
mod metadata;
mod orientation;
mod photos;
mod sample;
mod truncation;
