//! What is older than the stream, for a consumer that joins late: the graph as it is now, told to one
//! queue as changes at position 0/0, before all that the stream tells.
//!
//! Consumers keep what has the latest position, so an export may run before, during or after the
//! stream, and any number of times: whatever the stream says of a thing overrides it, and a second
//! export is no news. What is exported is what search reads of a change, and no more.

mod graph;
mod queue;
mod rows;

use std::time::{Duration, Instant};

use domain::graph::{Change, SNS_MESSAGE_BYTES};
use function_kit::{failure::Failure, metrics::Metrics};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::info;

pub use self::{
    graph::{Graph, Page},
    queue::{Queue, SqsQueue},
    rows::{DefaultVisibility, ExportedRow},
};
use crate::{
    lease,
    message::{EventIdPrefix, Message},
    pack,
};

const DOING: &str = "export the graph";

/// What must be left of an invocation's time for another page: as long as one may take to be read
/// and told.
const RESERVE: Duration = Duration::from_secs(45);

/// Calls to the queue at a time.
const MAX_CALLS: usize = 8;

/// An order to export, or the rest of one: `{}` begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExportRequest {
    /// Only counts.
    pub dry_run: bool,
    /// What a title's vertex without `visibility` is. Without an answer it is not told: the graph does
    /// not say whether it never had one or lost it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_visibility: Option<DefaultVisibility>,
    /// When a story was told of which the graph does not say it.
    pub undated_at: Timestamp,
    /// What is being read.
    pub part: Part,
    /// The id after which it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Of the stream, when the export began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
}

impl Default for ExportRequest {
    fn default() -> Self {
        Self {
            dry_run: false,
            without_visibility: None,
            undated_at: Timestamp::UNIX_EPOCH,
            part: Part::Vertices,
            after: None,
            generation: None,
        }
    }
}

/// The graph is read in two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// First: names, titles, visibilities, who is a person.
    Vertices,
    /// Then: who told what.
    Edges,
}

/// How far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How this invocation ended.
    pub ended: &'static str,
    /// What it told, or would have told.
    #[serde(flatten)]
    pub counts: Counts,
    /// The order to give next; none when all is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportRequest>,
}

/// What one invocation came across.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Vertices told.
    pub vertices: u64,
    /// Edges told.
    pub edges: u64,
    /// Titles not told, because nobody said who may see them: see [`ExportRequest::without_visibility`].
    pub undecided: u64,
    /// Edges told as of [`ExportRequest::undated_at`].
    pub undated: u64,
    /// What no consumer could keep: ids of more than 2,048 bytes.
    pub skipped: u64,
}

/// Tells the graph to a queue.
#[derive(Debug)]
pub struct Exporter<Q> {
    /// The graph.
    pub graph: Graph,
    /// Where it is told. Without one, it can only be counted.
    pub queue: Option<Q>,
    /// What the cluster is called in the ids of changes.
    pub cluster: String,
}

impl<Q: Queue> Exporter<Q> {
    /// Works on an order for as long as `time` allows; `generation` is the stream's now.
    ///
    /// # Errors
    /// As graph and queue fail: give the same order again. A bug, if the graph began anew since the
    /// export did: what was told is of a graph that is gone.
    pub async fn export(
        &self,
        mut order: ExportRequest,
        generation: u64,
        time: Duration,
        metrics: &Metrics,
    ) -> Result<Progress, Failure> {
        let deadline = Instant::now() + time;
        if *order.generation.get_or_insert(generation) != generation {
            return Err(Failure::bug(DOING, "the graph began anew: order the export from its beginning"));
        }
        let naming = EventIdPrefix::of(&self.cluster, generation).replayed(&lease::unique());
        let mut counts = Counts::default();
        loop {
            let page = self.graph.page(order.part, order.after.as_deref()).await?;
            let told: Vec<ExportedRow> = page.rows.iter().map(|row| row.told(&order)).collect();
            if !order.dry_run {
                self.tell(told.iter().filter_map(|told| told.change.as_ref()), &naming).await?;
            }
            counts.add(order.part, &told);
            info!(?counts, dry_run = order.dry_run, "exporting");
            order = match (page.next, order.part) {
                (Some(next), _) => ExportRequest { after: Some(next), ..order },
                (None, Part::Vertices) => ExportRequest { part: Part::Edges, after: None, ..order },
                (None, Part::Edges) => {
                    metrics.count("Exports", u64::from(!order.dry_run));
                    return Ok(Progress { ended: "exported", counts, export: None });
                }
            };
            if deadline.saturating_duration_since(Instant::now()) < RESERVE {
                return Ok(Progress { ended: "deadline", counts, export: Some(order) });
            }
        }
    }

    async fn tell(&self, changes: impl Iterator<Item = &Change>, naming: &EventIdPrefix) -> Result<(), Failure> {
        let queue = self.queue.as_ref().ok_or_else(|| Failure::bug(DOING, "there is no queue to tell it to"))?;
        let messages: Vec<_> = changes.map(|change| message(change, naming)).collect::<Result<_, _>>()?;
        let mut calls = Vec::new();
        let mut rest = messages.as_slice();
        while !rest.is_empty() {
            let (call, behind) = rest.split_at(pack::fitting(rest.iter().map(|message| message.body.len())));
            calls.push(call);
            rest = behind;
        }
        // In any order: they are of different vertices and edges.
        stream::iter(calls).map(|call| queue.send(call)).buffer_unordered(MAX_CALLS).try_collect().await
    }
}

impl Counts {
    fn add(&mut self, part: Part, told: &[ExportedRow]) {
        let count = |is: fn(&ExportedRow) -> bool| told.iter().filter(|told| is(told)).count() as u64;
        let number = count(|told| told.change.is_some());
        match part {
            Part::Vertices => self.vertices += number,
            Part::Edges => self.edges += number,
        }
        self.undecided += count(|told| told.is_undecided);
        self.undated += count(|told| told.is_undated);
        self.skipped += count(|told| told.is_skipped);
    }
}

/// All changes are at 0/0: what the bus knows a second delivery by must name the entity, too.
fn message(change: &Change, naming: &EventIdPrefix) -> Result<Message, Failure> {
    let body = change.to_cloud_event_within(naming.cluster(), SNS_MESSAGE_BYTES);
    let body = body.map_err(|unfit| Failure::bug(DOING, unfit))?;
    let group = change.group_id();
    let replay = format!("{}/{group}", naming.replay().unwrap_or_default());
    let deduplication_id = change.replayed_deduplication_id(naming.cluster(), &replay);
    Ok(Message { group, deduplication_id, body, refused: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_is_handed_back_as_it_can_be_given_again() {
        let order = |json| serde_json::from_value::<ExportRequest>(json);
        assert_eq!(order(json!({})).expect("an order"), ExportRequest::default());
        let rest = ExportRequest {
            without_visibility: Some(DefaultVisibility::Private),
            undated_at: "2024-01-01T00:00:00Z".parse().expect("a time"),
            part: Part::Edges,
            after: Some("told:s1".to_owned()),
            generation: Some(2),
            ..ExportRequest::default()
        };
        let json = serde_json::to_value(&rest).expect("JSON");
        assert_eq!((&json["withoutVisibility"], &json["part"]), (&json!("private"), &json!("edges")));
        assert_eq!(order(json).expect("an order"), rest);
        for wrong in [json!({"dryrun": true}), json!({"withoutVisibility": "followers"}), json!({"undatedAt": "then"})]
        {
            assert!(order(wrong).is_err());
        }
    }
}
