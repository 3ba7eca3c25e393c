//! Renders variants and encodes renditions again; takes items down and restores them.

mod decide;
mod plan;
mod reprocess;

use domain::{media::MediaId, user_report::ReportReason};

pub use decide::{DecisionReport, PastAction, restore, take_down};
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
    /// Take an item down. Without --apply, only show it.
    ///
    /// Only its owner sees it then, without files; its files are deleted, also from the CDN. The original stays.
    TakeDown(TakeDownOptions),
    /// Restore an item that was taken down. Without --apply, only show it.
    ///
    /// It is processed again, and has new URLs.
    Restore(RestoreOptions),
}

/// Names the item to take down.
#[derive(Debug, Clone, clap::Args)]
pub struct TakeDownOptions {
    /// The id of the item.
    #[arg(long)]
    pub id: MediaId,
    /// Why; its owner sees it: spam, harassment, hate, violence, sexual, copyright or other.
    #[arg(long, value_parser = parse_reason)]
    pub reason: ReportReason,
    /// Take it down.
    #[arg(long)]
    pub apply: bool,
}

/// Names the item to restore.
#[derive(Debug, Clone, clap::Args)]
pub struct RestoreOptions {
    /// The id of the item.
    #[arg(long)]
    pub id: MediaId,
    /// Restore it.
    #[arg(long)]
    pub apply: bool,
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

fn parse_reason(text: &str) -> Result<ReportReason, String> {
    text.parse().map_err(|_| "not a reason".to_owned())
}
