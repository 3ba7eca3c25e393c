//! The stack on one machine: installs pinned tools, builds the functions, starts the emulators, and deploys
//! `template.yaml`.
//!
//! ```text
//! tools, chromium     prerequisites and pinned tools
//! functions           builds and packages the functions
//! emulator            MiniStack, the AWS emulator
//! sidecar             processes beside the emulator
//! search_server       OpenSearch, or an embedded server with its API
//! docs                the pages /docs and /stories
//! deployment          sam deploy with the parameters of production
//! bus, gateway        workarounds for MiniStack
//! cdn_key, push_credentials    secrets of a stack
//! stack               a deployed stack
//! users, uploads      clients of the REST API
//! photographs, wav    sample media
//! paths, process, progress, cargo, blocking    helpers
//! ```

mod blocking;
mod bus;
mod cargo;
pub mod cdn_key;
pub mod chromium;
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
pub mod search_server;
pub mod sidecar;
mod stack;
pub mod tools;
pub mod uploads;
pub mod users;
pub mod wav;

pub use self::{
    blocking::block_on,
    cargo::cargo,
    paths::state_file,
    stack::{STATE_VARIABLE, Stack},
};
