//! An index made anew, for other settings or after a loss, while the old one goes on answering.
//!
//! 1. A new index is filled with all that is known, beside the one that the alias leads to.
//! 2. The alias is switched.
//! 3. All that is known is offered once more: what was written during the first pass went to the old
//!    index. Versions make that harmless where nothing was.

use std::time::{Duration, Instant};

use function_kit::{failure::Failure, metrics::Metrics};
use opensearch::{Document, Outcome, Target};
use serde::Serialize;
use tracing::info;

use crate::{
    event::Rebuild,
    ports::{Documents, Rows},
};

/// What must be left of an invocation's time for another page.
const RESERVE: Duration = Duration::from_secs(15);

/// How far it came.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Rows whose documents this invocation offered.
    pub offered: usize,
    /// Documents that the index refused for good.
    pub refused: usize,
    /// The order to give next; none when all is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Rebuild>,
}

/// Works on an order until it is done or `deadline` comes near. `document` makes the document of a row.
///
/// # Errors
/// As table and index fail: give the same order again.
pub async fn rebuild<R, D: Document>(
    rows: &impl Rows<R>,
    index: &impl Documents,
    document: impl Fn(&str, &R) -> D,
    metrics: &Metrics,
    mut order: Rebuild,
    deadline: Instant,
) -> Result<Progress, Failure> {
    let name = index.numbered(order.number);
    index.create(&name).await?;
    let (mut offered, mut refused) = (0, 0);
    loop {
        let page = rows.page(order.after.as_deref()).await?;
        let documents: Vec<_> = page.rows.iter().map(|(id, row)| document(id, row)).collect();
        for outcome in index.write(Target::Index(&name), &documents).await? {
            match outcome {
                Outcome::Written | Outcome::Superseded => {}
                Outcome::Refused(_) => refused += 1,
                Outcome::Later(why) => return Err(Failure::transient("rebuild the index", why)),
                Outcome::NoIndex => return Err(Failure::transient("rebuild the index", "it has gone")),
            }
        }
        offered += documents.len();
        info!(index = name, offered, refused, switched = order.switched, "rebuilding");
        match page.next {
            Some(next) => order.after = Some(next),
            None if order.switched => {
                metrics.count("Rebuilds", 1);
                return Ok(Progress { offered, refused, rebuild: None });
            }
            None => {
                index.switch_to(&name).await?;
                order = Rebuild { switched: true, after: None, ..order };
            }
        }
        if deadline.saturating_duration_since(Instant::now()) < RESERVE {
            return Ok(Progress { offered, refused, rebuild: Some(order) });
        }
    }
}
