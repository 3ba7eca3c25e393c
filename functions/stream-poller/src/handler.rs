//! Events into invocations.

use std::time::{Duration, SystemTime};

use domain::graph::Position;
use function_kit::failure::Failure;
use lambda_runtime::{Context, LambdaEvent};
use serde::{Deserialize, Serialize};
use tracing::{error, info};

use crate::{
    bus::Bus,
    checkpoints::Checkpoints,
    export::{ExportRequest, Exporter, Progress, Queue},
    inspect::{self, StreamStatus},
    lease,
    poller::{Outcome, Poller},
    stop::{RunError, RunOutcome},
};

/// A tick of the schedule, whatever else it says, an order to replay, `{"replay": {"from": "12/1", "to":
/// "20/5"}}`, perhaps only to count (`"dryRun": true`), or to export, `{"export": {"dryRun": true}}`, or a
/// question where the stream stands, `{"status": {"after": "12/1"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Event {
    #[serde(default)]
    replay: Option<Range>,
    #[serde(default)]
    status: Option<Seen>,
    #[serde(default)]
    export: Option<ExportRequest>,
}

/// The transactions to publish once more. One that the range cuts is published whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Range {
    from: Position,
    to: Position,
    #[serde(default)]
    dry_run: bool,
}

/// From where the stream is looked at: the checkpoint, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    #[serde(default)]
    after: Option<Position>,
}

/// What the invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a tick or a replay.
    Run(Run),
    /// To an export.
    Export(Progress),
    /// To the question where the stream stands.
    StreamStatus(StreamStatus),
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// How it ended.
    ended: &'static str,
    /// Up to where everything is on the bus, if this invocation published anything.
    position: Option<Position>,
    /// How many changes it published.
    changes: u64,
    /// For a replay: whether the whole range is on the bus, or else the rest, behind `position`, has
    /// to be ordered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
}

/// Why an invocation fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The range ends before it begins.
    #[error("the range to replay ends before it begins")]
    Backwards,
    /// The run stopped.
    #[error(transparent)]
    RunError(#[from] RunError),
    /// The export stopped.
    #[error(transparent)]
    Export(Failure),
}

/// Does what the event says, and writes what was measured.
///
/// # Errors
/// If somebody has to look: the invocation counts as failed, which the alarm hears.
pub async fn handle<B: Bus, C: Checkpoints, Q: Queue>(
    poller: &Poller<B, C>,
    exporter: &Exporter<Q>,
    event: LambdaEvent<Event>,
) -> Result<Answer, Error> {
    let time = time_left(&event.context);
    let Event { replay, status, export } = event.payload;
    let answer = match (status, export) {
        (Some(Seen { after }), _) => {
            let stream_status = inspect::stream_status(&poller.stream, after, poller.settings.retention).await;
            stream_status.map(Answer::StreamStatus).map_err(|error| Error::RunError(RunError::stream(error)))
        }
        // Each on the heap: nested within each other, they are deeper than the compiler goes.
        (None, Some(order)) => Box::pin(export_graph(poller, exporter, order, time)).await.map(Answer::Export),
        (None, None) => Box::pin(run(poller, replay, &event.context.request_id, time)).await.map(Answer::Run),
    };
    poller.metrics.flush();
    answer
}

async fn export_graph<B: Bus, C: Checkpoints, Q: Queue>(
    poller: &Poller<B, C>,
    exporter: &Exporter<Q>,
    order: ExportRequest,
    time: Duration,
) -> Result<Progress, Error> {
    let progress = async {
        let generation = poller.checkpoints.generation().await?;
        exporter.export(order, generation, time, &poller.metrics).await
    };
    progress.await.map_err(|failure| {
        error!(kind = failure.kind.as_str(), %failure, "export stopped");
        Error::Export(failure)
    })
}

async fn run<B: Bus, C: Checkpoints>(
    poller: &Poller<B, C>,
    replay: Option<Range>,
    request_id: &str,
    time: Duration,
) -> Result<Run, Error> {
    let result = match replay {
        None => poller.follow(&lease::owner(request_id), time).await.map(|outcome| answer(outcome, None)),
        Some(Range { from, to, .. }) if from > to => return Err(Error::Backwards),
        Some(Range { from, to, dry_run: true }) => {
            return Ok(replayed(inspect::count(&poller.stream, from, to, time, &poller.settings).await?));
        }
        Some(Range { from, to, dry_run: false }) => poller.replay(from, to, time).await.map(replayed),
    };
    match &result {
        Ok(answer) => {
            let position = answer.position.map(|position| position.to_string());
            info!(ended = answer.ended, position, changes = answer.changes, "invocation over");
        }
        Err(stop) => {
            poller.metrics.count_kind("Stops", ("Kind", stop.kind()), 1);
            error!(kind = stop.kind(), %stop, "invocation stopped");
        }
    }
    Ok(result?)
}

fn replayed(outcome: Outcome) -> Run {
    let is_complete = matches!(outcome.ending, RunOutcome::Replayed | RunOutcome::Drained);
    answer(outcome, Some(is_complete))
}

fn answer(Outcome { ending, done }: Outcome, complete: Option<bool>) -> Run {
    Run { ended: ending.as_str(), position: done.position, changes: done.changes, complete }
}

fn time_left(context: &Context) -> Duration {
    context.deadline().duration_since(SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tick_and_an_order_are_told_apart() {
        let event = |json| serde_json::from_value::<Event>(json);
        let tick = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        assert_eq!(event(tick).expect("a tick"), Event { replay: None, status: None, export: None });
        let order = event(json!({"export": {"dryRun": true}})).expect("an order");
        assert!(order.export.is_some_and(|order| order.dry_run));
        let order = event(json!({"replay": {"from": "12/1", "to": "20/5"}})).expect("an order");
        let (from, to) = (Position::new(12, 1), Position::new(20, 5));
        assert_eq!(order.replay, Some(Range { from, to, dry_run: false }));
        let counted = event(json!({"replay": {"from": "12/1", "to": "20/5", "dryRun": true}})).expect("an order");
        assert_eq!(counted.replay, Some(Range { from, to, dry_run: true }));
        let question = event(json!({"status": {"after": "12/1"}})).expect("a question");
        assert_eq!(question.status, Some(Seen { after: Some(from) }));
        assert_eq!(event(json!({"status": {}})).expect("a question").status, Some(Seen { after: None }));
        for wrong in [
            json!({"replay": {"from": "12/1"}}),
            json!({"replay": {"from": "12", "to": "20/5"}}),
            json!({"replay": {"from": "12/1", "to": "20/5", "dry_run": true}}),
            json!({"export": true}),
        ] {
            assert!(event(wrong).is_err(), "what is misspelt must not publish");
        }
    }

    proptest! {
        /// Whatever becomes of an order, it never becomes another one.
        #[test]
        fn a_damaged_order_is_read_or_refused(
            text in malformed_inputs::documents(&[
                r#"{"replay":{"from":"12/1","to":"20/5","dryRun":true}}"#,
                r#"{"status":{"after":"12/1"}}"#,
                r#"{"export":{"dryRun":true}}"#,
                r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#,
            ]),
        ) {
            // What is passed over may be nested deeper than a value can be.
            let document: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            if let Some((event, document)) = serde_json::from_str::<Event>(&text).ok().zip(document) {
                for (name, is_there) in [
                    ("replay", event.replay.is_some()), ("status", event.status.is_some()), ("export", event.export.is_some()),
                ] {
                    prop_assert_eq!(document.get(name).is_some_and(|order| !order.is_null()), is_there, "{}", name);
                }
                if let Some(range) = event.replay {
                    prop_assert_eq!(document["replay"]["dryRun"] == true, range.dry_run);
                }
            }
        }
    }
}
