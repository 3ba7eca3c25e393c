//! Each function's binary alone, behind a Lambda Runtime API. `IYAGI_PACKAGES` names other binaries, such as those for AWS.
//!
//! Each test has its own emulator and its own processes, so the tests run in parallel. They measure the memory of a
//! process, never that of the machine.
//!
//! The events in `tests/events` also serve `sam local invoke <Function> -e tests/events/<file>.json`.

mod account_api;
mod audio_worker;
mod emulated_aws;
mod events;
mod export_worker;
mod media_api;
mod media_environment;
mod metadata_writer;
mod photograph;
mod position_independent;
mod push;
mod responses;
mod search;
mod startup;
mod story_files;
mod stream_poller;
mod thumbnailer;
mod upload_api;
