//! Rendering variants and renditions again.

mod plan;
mod reprocess;

use domain::media::MediaId;

pub use reprocess::{ReprocessReport, reprocess};

/// Commands for pictures and recordings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Render items again from their originals. Without --apply, only count them.
    ///
    /// The worker receives the event of the upload again, at the same position: it restores missing files and retries
    /// failed items. With --anew, it receives the event at a new position directly after the old one, and its output
    /// replaces the existing files under new URLs.
    Reprocess(Arguments),
}

/// Options of `reprocess`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Id of an item. May be repeated.
    #[arg(long, required_unless_present = "prefix", conflicts_with = "prefix")]
    pub id: Vec<MediaId>,
    /// All originals whose keys have this prefix: photo/, or audio/<owner>/.
    #[arg(long)]
    pub prefix: Option<String>,
    /// Replace existing files, for workers whose output has changed. Items that can no longer be rendered become
    /// failed.
    #[arg(long = "anew")]
    pub replace: bool,
    /// Send the events.
    #[arg(long)]
    pub apply: bool,
}
