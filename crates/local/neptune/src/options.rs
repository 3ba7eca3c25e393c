use std::{path::PathBuf, time::Duration};

use super::{faults::ExpiredStatus, stream::MAX_COMMIT_NUM};

/// Settings of an emulator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Loopback port; 0 selects a free port.
    pub port: u16,
    /// Path of the journal. `None`: the graph is in memory only.
    pub state: Option<PathBuf>,
    /// How long commits stay in the stream. Neptune: 1 to 90 days, 7 by default.
    pub retention: Duration,
    /// Number of the first commit.
    pub first_commit_num: u64,
    /// Whether requests for the stream must have SigV4 headers.
    pub requires_signature: bool,
    /// Whether the last record of a commit has `isLastOp`, as since engine 1.1.1.0.
    pub marks_last_op: bool,
    /// Whether numbers and booleans are written as strings.
    pub values_as_text: bool,
    /// The error for expired records.
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
    /// Port on 127.0.0.1; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Keep the graph and its stream in this file across restarts.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Days for which commits stay in the stream.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=90))]
    expiry_days: u64,
    /// Number of the first commit.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_COMMIT_NUM))]
    first_commit: u64,
    /// Return 403 for requests without SigV4 headers. Signatures are not verified.
    #[arg(long)]
    require_signature: bool,
    /// Omit isLastOp, as engines before 1.1.1.0 do.
    #[arg(long)]
    no_last_op: bool,
    /// Write numbers and booleans as strings.
    #[arg(long)]
    values_as_text: bool,
    /// Return 404 instead of 400 for expired records.
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
