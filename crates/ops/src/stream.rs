//! The Neptune stream. Only the poller can reach it, so the commands invoke the poller.

mod replay;
mod status;

pub use replay::{PositionArgument, ReplayOptions, ReplayReport, replay};
pub use status::{Backlog, LeaseInfo, Status, checkpoint, status};

/// Commands for the stream.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show the checkpoint, the unpublished commits with their age and expiry, and the lease.
    Status,
    /// Publish the commits of a range again. Without --apply, only count their changes.
    ///
    /// Transactions are published whole, with the same event ids. Push and search skip events that they have
    /// processed.
    Replay(ReplayOptions),
}
