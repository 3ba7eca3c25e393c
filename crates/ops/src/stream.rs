//! The graph's stream of changes. It can be read from within its network only, so the poller is asked.

mod replay;
mod status;

pub use replay::{Order, Place, Replayed, replay};
pub use status::{Held, Status, Unread, status};

/// About the stream.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// How far it is published, how much is left and for how long, and who publishes.
    Status,
    /// Publish the commits of a range once more. Without --apply, only count what that would publish.
    ///
    /// Whole transactions, under the ids that they had: who keeps positions, as push and search do, has seen
    /// them and changes nothing.
    Replay(Order),
}
