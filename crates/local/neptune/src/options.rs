use std::{path::PathBuf, time::Duration};

use super::{faults::ExpiredStatus, log::MAX_COMMIT_NUM};

/// How an emulator behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port of loopback to listen on; 0 takes a free one.
    pub port: u16,
    /// Where the graph and its stream are kept; without it, in memory only.
    pub state: Option<PathBuf>,
    /// How long a commit can be read. Neptune keeps 7 days by default, and 1 to 90.
    pub retention: Duration,
    /// The number of the first commit.
    pub first_commit_num: u64,
    /// Whether requests for the stream must look signed.
    pub requires_signature: bool,
    /// Whether `isLastOp` marks a commit's last record, as since engine 1.1.1.0.
    pub marks_last_op: bool,
    /// Whether numbers and truth values are written as text.
    pub values_as_text: bool,
    /// How records that have expired are answered.
    pub expired_as: ExpiredStatus,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            state: None,
            retention: Duration::from_secs(7 * 24 * 60 * 60),
            first_commit_num: 1,
            requires_signature: false,
            marks_last_op: true,
            values_as_text: false,
            expired_as: ExpiredStatus::Expired,
        }
    }
}

/// `cargo xtask neptune`'s arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Keep the graph and its stream in this file, so that they survive a restart.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How many days a commit can be read.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=90))]
    expiry_days: u64,
    /// The number of the first commit.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_COMMIT_NUM))]
    first_commit: u64,
    /// Answer 403 to requests for the stream without a SigV4 header. Signatures are not verified.
    #[arg(long)]
    require_signature: bool,
    /// Leave out isLastOp, as engines before 1.1.1.0 do.
    #[arg(long)]
    no_last_op: bool,
    /// Write numbers and truth values as text.
    #[arg(long)]
    values_as_text: bool,
    /// Answer 404 instead of 400 where records have expired.
    #[arg(long)]
    expired_as_not_found: bool,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        Self {
            port: arguments.port,
            state: arguments.state,
            retention: Duration::from_secs(arguments.expiry_days * 24 * 60 * 60),
            first_commit_num: arguments.first_commit,
            requires_signature: arguments.require_signature,
            marks_last_op: !arguments.no_last_op,
            values_as_text: arguments.values_as_text,
            expired_as: if arguments.expired_as_not_found { ExpiredStatus::NotFound } else { ExpiredStatus::Expired },
        }
    }
}
