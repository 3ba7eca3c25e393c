//! Renders variants and encodes renditions again.

mod plan;
mod reprocess;

use domain::media::MediaId;

pub use reprocess::{ReprocessReport, reprocess};

/// Commands for pictures and recordings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Process originals again. Without --apply, only count them.
    ///
    /// The worker gets the S3 event of the original again, at the same position. It restores missing files and
    /// retries failed items. With --anew, the event has a new position directly after the old one: new files
    /// replace the existing ones, under other URLs.
    Reprocess(ReprocessOptions),
}

/// Selects the items to process again.
#[derive(Debug, Clone, clap::Args)]
pub struct ReprocessOptions {
    /// The id of an item. May be repeated.
    #[arg(long, required_unless_present = "prefix", conflicts_with = "prefix")]
    pub id: Vec<MediaId>,
    /// All originals whose keys have this prefix, such as photo/ or audio/<owner>/.
    #[arg(long)]
    pub prefix: Option<String>,
    /// Replace existing files, for workers whose output has changed. An item that can no longer be rendered becomes
    /// failed.
    #[arg(long = "anew")]
    pub new_revision: bool,
    /// Send the events to the workers.
    #[arg(long)]
    pub apply: bool,
}
