//! What all workers share that make files from originals.
//!
//! A worker says what is made of one original ([`Maker`]); all else is the same for pictures and
//! sound, and stands here: [`run`] wires a function, [`Worker`] keeps the order of writing, sweeping, looking again and
//! reporting, [`Originals`] reads what was uploaded, [`DerivedFiles`] writes and deletes what was
//! made, [`Edge`] has caches forget it, [`Reports`] tells `metadata-writer`.

mod config;
mod edge;
mod files;
mod originals;
mod reports;
mod run;
mod worker;

pub use edge::Edge;
pub use files::{Content, DerivedFiles, File, content_hash};
pub use originals::{Original, Originals};
pub use reports::Reports;
pub use run::run;
pub use worker::{Job, Made, Maker, Making, Worker};
