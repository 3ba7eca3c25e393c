//! Tests of the whole function with a fixed list of hits.

mod fixed_index;
mod handler;
mod model_index;
mod non_interference;
