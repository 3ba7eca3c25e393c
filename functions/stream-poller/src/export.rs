//! Exports the existing graph to one queue, for a consumer that joins later than the stream's oldest record.
//!
//! Each vertex and edge becomes a change at position 0/0, before all positions of the stream. Consumers keep the data
//! with the latest position, so an export may run before, during or after the stream, and repeatedly. It contains only
//! the data that search reads.
//!
//! After a range of the stream was lost, vertices can be exported at the range's last position instead: see
//! [`ExportRequest::lost_until`].

mod graph;
mod handler;
mod queue;
mod request;
mod rows;

use std::time::{Duration, Instant};

use domain::graph::{Change, SNS_MESSAGE_BYTES};
use function_kit::{failure::Failure, metrics::Metrics};
use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::info;

pub use self::{
    graph::{Graph, Page},
    handler::{Event, GraphExport},
    queue::{Queue, SqsQueue},
    request::{Counts, DefaultVisibility, ExportRequest, ExportResponse, Part},
    rows::ExportedRow,
};
use crate::{
    batch_size, lease,
    message::{EventIdPrefix, Message},
};

const DOING: &str = "export the graph";

/// The time for one page, to be read and sent. With less time left, the invocation ends.
const PAGE_TIME: Duration = Duration::from_secs(45);

/// The most concurrent calls to the queue.
const MAX_CALLS: usize = 8;

/// Sends the graph to a queue.
#[derive(Debug)]
pub struct Exporter<Q> {
    /// The graph.
    pub graph: Graph,
    /// The queue.
    pub queue: Q,
    /// The cluster's name in event ids.
    pub cluster: String,
}

impl<Q: Queue> Exporter<Q> {
    /// Runs a request for at most `time`. `generation` returns the stream's current one.
    ///
    /// # Errors
    /// If the graph or the queue fails: repeat the request. A bug if the graph was reset since the export started,
    /// because the data sent before is outdated, or if it was reset and the next generation has not started.
    #[tracing::instrument(level = "error", skip_all)]
    pub async fn export(
        &self,
        mut request: ExportRequest,
        generation: impl AsyncFn() -> Result<u64, Failure>,
        time: Duration,
        metrics: &Metrics,
    ) -> Result<ExportResponse, Failure> {
        let deadline = Instant::now() + time;
        let replay = lease::unique_id();
        let mut counts = Counts::default();
        loop {
            let page = self.graph.page(request.part, request.after.as_deref()).await?;
            // After the page was read, so that it is of this generation's graph.
            let generation = generation().await?;
            if *request.generation.get_or_insert(generation) != generation {
                return Err(Failure::bug(DOING, "the graph was reset: start the export again"));
            }
            let id_prefix = EventIdPrefix::new(&self.cluster, generation).for_replay(&replay);
            let rows: Vec<ExportedRow> = page.rows.iter().map(|row| row.export(&request)).collect();
            if !request.dry_run {
                self.send(rows.iter().filter_map(|row| row.change.as_ref()), &id_prefix).await?;
            }
            count(&mut counts, request.part, &rows);
            info!(?counts, dry_run = request.dry_run, "exporting");
            request = match (page.next, request.part) {
                (Some(next), _) => ExportRequest { after: Some(next), ..request },
                (None, Part::Vertices) => ExportRequest { part: Part::Edges, after: None, ..request },
                (None, Part::Edges) => {
                    metrics.count("Exports", u64::from(!request.dry_run));
                    return Ok(ExportResponse { ended: "exported", counts, export: None });
                }
            };
            if deadline.saturating_duration_since(Instant::now()) < PAGE_TIME {
                return Ok(ExportResponse { ended: "deadline", counts, export: Some(request) });
            }
        }
    }

    async fn send(&self, changes: impl Iterator<Item = &Change>, id_prefix: &EventIdPrefix) -> Result<(), Failure> {
        let messages: Vec<_> = changes.map(|change| message(change, id_prefix)).collect::<Result<_, _>>()?;
        let mut calls = Vec::new();
        let mut rest = messages.as_slice();
        while !rest.is_empty() {
            let (call, behind) = rest.split_at(batch_size::fitting(rest.iter().map(|message| message.body.len())));
            calls.push(call);
            rest = behind;
        }
        // In any order, because each message is about another entity.
        stream::iter(calls).map(|call| self.queue.send(call)).buffer_unordered(MAX_CALLS).try_collect().await
    }
}

fn count(counts: &mut Counts, part: Part, rows: &[ExportedRow]) {
    let count = |is: fn(&ExportedRow) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
    let changes = count(|row| row.change.is_some());
    match part {
        Part::Vertices => counts.vertices += changes,
        Part::Edges => counts.edges += changes,
    }
    counts.undecided += count(|row| row.is_undecided);
    counts.undated += count(|row| row.is_undated);
    counts.skipped += count(|row| row.is_skipped);
}

/// The message of a change. All changes of a part have one position, so the deduplication id must contain the entity.
fn message(change: &Change, id_prefix: &EventIdPrefix) -> Result<Message, Failure> {
    let body = change.to_cloud_event_within(id_prefix.cluster(), SNS_MESSAGE_BYTES);
    let body = body.map_err(|too_large| Failure::bug(DOING, too_large))?;
    let group = change.group_id();
    let replay = format!("{}/{group}", id_prefix.replay().unwrap_or_default());
    let deduplication_id = change.replayed_deduplication_id(id_prefix.cluster(), &replay);
    Ok(Message { group, deduplication_id, body, rejection: None })
}
