//! What all workers share that make files from originals.
//!
//! A worker says what is made of one original ([`Renderer`]); all else is the same for pictures and
//! sound, and stands here: [`run`] wires a function, [`Worker`] keeps the order of writing, sweeping, looking again and
//! reporting, [`Originals`] reads what was uploaded, [`DerivedFiles`] writes and deletes what was
//! made, [`CdnCache`] has caches forget it, [`Reports`] tells `metadata-writer`.

mod cdn_cache;
mod config;
mod files;
mod originals;
mod reports;
mod run;
mod worker;

pub use cdn_cache::CdnCache;
pub use files::{Content, DerivedFiles, File, content_hash};
pub use originals::{Original, Originals};
pub use reports::Reports;
pub use run::run;
pub use worker::{Job, RenderResult, Rendered, Renderer, Worker};
