//! Checks of the repository as a whole.

mod dependencies;
mod documents;
mod ffmpeg_layer;
mod import_cycles;
mod infrastructure;
mod openapi;
mod parsers;
mod sidecar;
mod workflows;
