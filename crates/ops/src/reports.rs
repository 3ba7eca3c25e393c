//! People's reports of items: lists the open ones, and closes them.

mod list;

use std::fmt;

use anyhow::Result;
use domain::media::MediaId;
use jiff::Timestamp;
use serde::Serialize;
use store::reports::ReportTable;

pub use list::{ReportedItem, ReportedItems};

use crate::Session;

/// What to do with reports.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    /// The command; none lists the open reports.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What is listed.
    #[command(flatten)]
    pub list: ListOptions,
}

/// Commands for reports.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Close the open reports of items. Without --apply, only count them.
    ///
    /// A report that its author sends again while it is being closed stays open.
    Close(CloseOptions),
}

/// Selects the reports to list.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// The id of an item. May be repeated. None: all items with open reports.
    #[arg(long)]
    pub id: Vec<MediaId>,
    /// Also show what the reporters wrote.
    #[arg(long)]
    pub texts: bool,
}

/// Selects the reports to close.
#[derive(Debug, clap::Args)]
pub struct CloseOptions {
    /// The id of an item. May be repeated.
    #[arg(long, required = true)]
    pub id: Vec<MediaId>,
    /// Close them.
    #[arg(long)]
    pub apply: bool,
}

/// The number of reports by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedReports {
    /// Whether reports were closed. `false`: they were only counted.
    pub applied: bool,
    /// Open reports of the items; with `applied`, those that are closed now.
    pub reports: usize,
    /// Reports that were sent again, closed or erased meanwhile.
    pub changed: usize,
}

/// Lists the items with open reports, the most reported first.
///
/// # Errors
/// If DynamoDB cannot be read.
pub async fn list(session: &Session, options: &ListOptions) -> Result<ReportedItems> {
    let reports = table(session)?.open().await?;
    let is_selected = |id: MediaId| options.id.is_empty() || options.id.contains(&id);
    Ok(ReportedItems::of(reports.iter().filter(|report| is_selected(report.media_id)), options.texts))
}

/// Closes the open reports of items, or counts them.
///
/// # Errors
/// If a call of DynamoDB fails. The command can be repeated.
pub async fn close(session: &Session, options: &CloseOptions) -> Result<ClosedReports> {
    let table = table(session)?;
    let mut closed = ClosedReports { applied: options.apply, ..ClosedReports::default() };
    for report in table.open().await?.iter().filter(|report| options.id.contains(&report.media_id)) {
        if !options.apply || table.close(report, Timestamp::now()).await? {
            closed.reports += 1;
        } else {
            closed.changed += 1;
        }
    }
    Ok(closed)
}

fn table(session: &Session) -> Result<ReportTable> {
    Ok(ReportTable::new(session.dynamodb.clone(), session.output("ReportsTableName")?.to_owned()))
}

impl fmt::Display for ClosedReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, reports, changed } = self;
        if *applied {
            write!(f, "Closed: {reports} reports.")?;
        } else {
            write!(f, "Would be closed: {reports} reports. To close them: --apply")?;
        }
        if *changed > 0 {
            write!(f, "\n{changed} have changed since they were read: list them again")?;
        }
        Ok(())
    }
}
