//! Starts xtask on a machine that may lack prerequisites.
//!
//! `cargo run` resolves features for one package. The packages that xtask and the functions share would be compiled once
//! for each set of features. The launcher compiles xtask with the features of the whole workspace instead, so that
//! functions and tests use the same compiled packages. It uses the standard library only and compiles in a second.

mod build;
pub mod doctor;
pub mod prerequisites;

pub use self::build::{cargo, lint_environment, root, workspace_build};
