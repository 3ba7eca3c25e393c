//! The stream of graph changes. Only the poller can reach Neptune, so these commands invoke the poller.

mod replay;
mod status;

pub use replay::{Arguments, CommitPosition, ReplayReport, replay};
pub use status::{LeaseStatus, Status, Unread, status};

/// Commands for the stream.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show the published position, the remaining commits with their expiry, and the lease.
    Status,
    /// Publish the commits of a range again. Without --apply, only count the changes.
    ///
    /// Publishes whole transactions with their original ids. Consumers that track positions, such as push and search,
    /// skip changes that they have processed.
    Replay(Arguments),
}
