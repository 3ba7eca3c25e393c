//! `cargo xtask demo`: photographs become variants and metadata, a recording becomes renditions and a waveform, and
//! changes of the graph become notifications and search results. Prints each step and writes a page.

mod day;
mod drawing;
mod events;
mod format;
mod metadata;
mod page;
mod photographs;
mod run;
mod session;
mod story;
mod voice;

pub use run::run;
