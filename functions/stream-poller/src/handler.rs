//! Parses the event of an invocation of `stream-poller` and runs it.

use std::time::{Duration, SystemTime};

use domain::graph::Position;
use lambda_runtime::{Context, LambdaEvent};
use serde::{Deserialize, Serialize};
use tracing::{error, info};

use crate::{
    checkpoints::Checkpoints,
    event_bus::Bus,
    inspect::{self, StreamStatus},
    lease,
    poller::Poller,
    run_error::RunError,
    run_outcome::{RunOutcome, RunReport},
};

/// The event of an invocation.
///
/// - A replay: `{"replay": {"from": "12/1", "to": "20/5"}}`, with `"dryRun": true` only to count.
/// - A status request: `{"status": {"after": "12/1"}}`.
/// - Any other event is a tick of the schedule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Event {
    #[serde(default)]
    replay: Option<ReplayRequest>,
    #[serde(default)]
    status: Option<StatusRequest>,
}

/// The range to replay. Transactions at its ends are published whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplayRequest {
    from: Position,
    to: Position,
    #[serde(default)]
    dry_run: bool,
}

/// A request for the status of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusRequest {
    /// The checkpoint, if there is one.
    #[serde(default)]
    after: Option<Position>,
}

/// The response of an invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To a tick or a replay.
    Run(RunResponse),
    /// To a status request.
    StreamStatus(StreamStatus),
}

/// The result of a tick or a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunResponse {
    /// The end of the run, by [`RunOutcome::as_str`].
    ended: &'static str,
    /// The position up to which everything is on the bus, if this invocation published anything.
    position: Option<Position>,
    /// The number of published changes.
    changes: u64,
    /// Only for a replay: whether the whole range is on the bus. If not, request the rest after `position`.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
}

/// The error of an invocation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The range to replay is empty.
    #[error("the range to replay ends before it starts")]
    InvalidRange,
    /// The run failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Runs the event and writes the metrics.
///
/// # Errors
/// If an operator must act. The invocation fails, which raises the alarm.
pub async fn handle<B: Bus, C: Checkpoints>(
    poller: &Poller<B, C>,
    event: LambdaEvent<Event>,
) -> Result<Response, Error> {
    let time = time_left(&event.context);
    let Event { replay, status } = event.payload;
    let response = match status {
        Some(StatusRequest { after }) => {
            let stream_status = inspect::stream_status(&poller.stream, after, poller.settings.retention).await;
            stream_status.map(Response::StreamStatus).map_err(|error| Error::Run(RunError::stream(error)))
        }
        // Boxed, because the nested future types exceed the compiler's limit.
        None => Box::pin(run(poller, replay, &event.context.request_id, time)).await.map(Response::Run),
    };
    poller.metrics.flush();
    response
}

async fn run<B: Bus, C: Checkpoints>(
    poller: &Poller<B, C>,
    replay: Option<ReplayRequest>,
    request_id: &str,
    time: Duration,
) -> Result<RunResponse, Error> {
    let result = match replay {
        None => poller.follow(&lease::owner(request_id), time).await.map(|report| run_response(report, None)),
        Some(ReplayRequest { from, to, .. }) if from > to => return Err(Error::InvalidRange),
        Some(ReplayRequest { from, to, dry_run: true }) => {
            let report = inspect::count(&poller.stream, from, to, time, &poller.settings).await?;
            return Ok(replay_response(report));
        }
        Some(ReplayRequest { from, to, dry_run: false }) => poller.replay(from, to, time).await.map(replay_response),
    };
    match &result {
        Ok(response) => {
            let position = response.position.map(|position| position.to_string());
            info!(ended = response.ended, position, changes = response.changes, "invocation over");
        }
        Err(error) => {
            poller.metrics.count_kind("Stops", ("Kind", error.kind()), 1);
            error!(kind = error.kind(), %error, "invocation stopped");
        }
    }
    Ok(result?)
}

fn replay_response(report: RunReport) -> RunResponse {
    let is_complete = matches!(report.outcome, RunOutcome::Replayed | RunOutcome::Drained);
    run_response(report, Some(is_complete))
}

fn run_response(RunReport { outcome, published }: RunReport, complete: Option<bool>) -> RunResponse {
    RunResponse { ended: outcome.as_str(), position: published.position, changes: published.changes, complete }
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
    fn event_is_parsed_by_kind_and_misspelt_ones_are_rejected() {
        let event = |json| serde_json::from_value::<Event>(json);
        let tick = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        assert_eq!(event(tick).expect("a tick"), Event { replay: None, status: None });
        let replay = event(json!({"replay": {"from": "12/1", "to": "20/5"}})).expect("a replay").replay;
        let (from, to) = (Position::new(12, 1), Position::new(20, 5));
        assert_eq!(replay, Some(ReplayRequest { from, to, dry_run: false }));
        let dry_run = event(json!({"replay": {"from": "12/1", "to": "20/5", "dryRun": true}})).expect("a replay");
        assert_eq!(dry_run.replay, Some(ReplayRequest { from, to, dry_run: true }));
        let status = event(json!({"status": {"after": "12/1"}})).expect("a status request");
        assert_eq!(status.status, Some(StatusRequest { after: Some(from) }));
        assert_eq!(event(json!({"status": {}})).expect("a status request").status, Some(StatusRequest { after: None }));
        for misspelt in [
            json!({"replay": {"from": "12/1"}}),
            json!({"replay": {"from": "12", "to": "20/5"}}),
            json!({"replay": {"from": "12/1", "to": "20/5", "dry_run": true}}),
        ] {
            assert!(event(misspelt).is_err(), "a misspelt request must not publish");
        }
    }

    proptest! {
        /// A malformed request never becomes a request of another kind.
        #[test]
        fn malformed_event_is_parsed_or_rejected(
            text in malformed_inputs::documents(&[
                r#"{"replay":{"from":"12/1","to":"20/5","dryRun":true}}"#,
                r#"{"status":{"after":"12/1"}}"#,
                r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#,
            ]),
        ) {
            // Ignored fields may be nested deeper than `Value` allows.
            let document: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            if let Some((event, document)) = serde_json::from_str::<Event>(&text).ok().zip(document) {
                for (name, is_present) in [
                    ("replay", event.replay.is_some()), ("status", event.status.is_some()),
                ] {
                    prop_assert_eq!(document.get(name).is_some_and(|request| !request.is_null()), is_present, "{}", name);
                }
                if let Some(request) = event.replay {
                    prop_assert_eq!(document["replay"]["dryRun"] == true, request.dry_run);
                }
            }
        }
    }
}
