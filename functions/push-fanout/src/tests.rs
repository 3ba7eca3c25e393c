//! Tests of the whole function with an in-memory backend.

mod changes;
mod cooldown;
mod cooldown_interleavings;
mod devices;
mod erasure;
mod exports;
mod fixtures;
mod generations;
mod hidden_content;
mod in_memory_backend;
mod in_memory_inbox;
mod inbox;
mod inbox_port;
mod interleavings;
mod large_audiences;
mod notifications;
mod story_files;
mod visibility;
mod visibility_histories;
