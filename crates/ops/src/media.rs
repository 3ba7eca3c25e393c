//! Having variants and renditions made again.

mod plan;
mod reprocess;

use domain::media::MediaId;

pub use reprocess::{Reprocessed, reprocess};

/// About pictures and recordings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Have items made again from their originals. Without --apply, only count them.
    ///
    /// Sends the worker the event of S3 again, with the same position: the worker restores missing files and retries failed
    /// items. With --anew, the event has a new position just behind the old one: new files replace the old ones, under new
    /// URLs.
    Reprocess(Order),
}

/// Which items.
#[derive(Debug, Clone, clap::Args)]
pub struct Order {
    /// An item's id; may be repeated.
    #[arg(long, required_unless_present = "prefix", conflicts_with = "prefix")]
    pub id: Vec<MediaId>,
    /// All originals whose keys begin so: photo/, or audio/<owner>/.
    #[arg(long)]
    pub prefix: Option<String>,
    /// Replace what there is, for workers that make something else than before. An item that can not be made any
    /// more becomes failed.
    #[arg(long = "anew")]
    pub new_revision: bool,
    /// Do it.
    #[arg(long)]
    pub apply: bool,
}
