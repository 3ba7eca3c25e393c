//! Builds a new index, for other settings or after a loss, while searches use the old one.
//!
//! 1. Fill the new index from the table.
//! 2. Switch the alias.
//! 3. Read the table again: changes during step 1 went to the old index. Versions make repeated writes harmless.

use std::time::{Duration, Instant};

use function_kit::{failure::Failure, metrics::Metrics};
use opensearch::{Document, Outcome, Target};
use serde::Serialize;
use tracing::{info, instrument};

use crate::{
    event::Rebuild,
    ports::{DocumentIndex, Table},
};

const DOING: &str = "rebuild the index";

/// Remaining time of the invocation that another page needs.
const RESERVE: Duration = Duration::from_secs(15);

/// Progress of a rebuild in one invocation.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Number of documents sent to the index.
    pub offered: usize,
    /// Number of documents that the index rejected.
    pub refused: usize,
    /// Command for the next invocation; none when the rebuild is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Rebuild>,
}

/// Runs a rebuild until it is complete or `deadline` is near. `document` makes the document of a row.
///
/// # Errors
/// If table or index fail. The same command can be repeated.
#[instrument(level = "error", skip_all, fields(number = command.number, mirror = command.mirror))]
pub async fn rebuild<R, D: Document>(
    table: &impl Table<R>,
    index: &impl DocumentIndex,
    document: impl Fn(&str, &R) -> D,
    metrics: &Metrics,
    mut command: Rebuild,
    deadline: Instant,
) -> Result<Progress, Failure> {
    let name = index.index_name(command.number);
    index.create(&name).await?;
    let (mut offered, mut refused) = (0, 0);
    loop {
        let page = table.page(command.after.as_deref()).await?;
        let documents: Vec<_> = page.rows.iter().map(|(id, row)| document(id, row)).collect();
        for outcome in index.write(Target::Index(&name), &documents).await? {
            match outcome {
                Outcome::Written | Outcome::Superseded => {}
                Outcome::Rejected(_) => refused += 1,
                Outcome::Retry(reason) => return Err(Failure::transient(DOING, reason)),
                Outcome::NoIndex => return Err(Failure::transient(DOING, "the index was deleted")),
            }
        }
        offered += documents.len();
        info!(index = name, offered, refused, switched = command.switched, "rebuilding");
        match page.next {
            Some(next) => command.after = Some(next),
            None if command.switched => {
                metrics.count("Rebuilds", 1);
                return Ok(Progress { offered, refused, rebuild: None });
            }
            None => {
                index.switch_alias(&name).await?;
                command = Rebuild { switched: true, after: None, ..command };
            }
        }
        if deadline.saturating_duration_since(Instant::now()) < RESERVE {
            return Ok(Progress { offered, refused, rebuild: Some(command) });
        }
    }
}
