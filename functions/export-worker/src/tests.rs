//! Copies with everything else in memory.

mod in_memory;
mod stores;
mod turns;
pub mod unzip;
