//! The stack on one machine: installs pinned tools, builds the functions, starts the emulators, and deploys
//! `template.yaml`.
//!
//! ```text
//! tools, chromium     pinned tools
//! functions           builds and packages the functions
//! emulator            MiniStack, the AWS emulator
//! sidecar             processes beside the emulator
//! search_server       OpenSearch, or an embedded server with its API
//! docs                the pages /docs and /stories
//! deployment          sam deploy with the parameters of production
//! function_code       new code for deployed functions
//! api_cors, fifo_topic, recursive_loop    workarounds for MiniStack
//! cdn_key, push_credentials    secrets of a stack
//! stack               a deployed stack
//! sam_local           files for `sam local invoke`
//! users, uploads      clients of the REST API
//! photographs, wav    sample media
//! paths, process, progress, blocking    helpers
//! ```

mod api_cors;
mod blocking;
pub mod cdn_key;
pub mod chromium;
mod deployment;
pub mod docs;
pub mod emulator;
mod fifo_topic;
mod function_code;
pub mod functions;
pub mod paths;
pub mod photographs;
pub mod priority;
mod process;
pub mod progress;
pub mod push_credentials;
mod recursive_loop;
pub mod sam_local;
pub mod search_server;
pub mod sidecar;
mod stack;
pub mod tools;
pub mod traces;
pub mod uploads;
pub mod users;
pub mod wav;

pub use launcher::{cargo, lint_environment, workspace_build};

pub use self::{
    blocking::block_on,
    paths::state_file,
    stack::{STATE_VARIABLE, Stack},
};
