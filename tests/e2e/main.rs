//! The deployed stack: `template.yaml` as it is, in an emulator that enforces IAM.
//!
//! The tests run in parallel on one stack; `stack_lock` says how they share it.

mod access_table;
mod account;
mod api;
mod audio;
mod browser;
mod commits;
mod delivery;
mod deployed;
mod fair_share;
mod generated_clients;
mod hostile;
mod media;
mod openapi;
mod ops;
mod push;
mod redrive;
mod sam_local;
mod search;
mod seeded_random;
mod stack_lock;
mod stories;
mod tokens;
mod uploads;
