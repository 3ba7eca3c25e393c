//! The stack on one machine: installs pinned tools, builds the functions, starts the emulators, deploys.

mod block_on;
mod bus;
pub mod chromium;
pub mod cdn_key;
mod deployment;
pub mod docs;
pub mod emulator;
pub mod functions;
mod gateway;
pub mod paths;
pub mod photographs;
mod process;
pub mod progress;
pub mod push_credentials;
pub mod search;
pub mod sidecar;
mod stack;
pub mod tools;
pub mod uploads;
pub mod users;
pub mod wav;

pub use self::{
    block_on::block_on,
    stack::{STATE_VARIABLE, Stack, state_file},
};
