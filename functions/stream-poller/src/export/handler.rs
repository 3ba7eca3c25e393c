//! Parses the event of an invocation of `graph-export` and runs it.

use std::time::{Duration, SystemTime};

use function_kit::{failure::Failure, metrics::Metrics};
use lambda_runtime::{Context, LambdaEvent};
use neptune_streams::Client;
use serde::Deserialize;
use tracing::error;

use super::{DOING, ExportRequest, ExportResponse, Exporter, Queue};
use crate::{checkpoints::Checkpoints, generation::current_progress, run_error::RunError, settings::Settings};

/// The event of an invocation: `{"export": {}}`, with the fields of an [`ExportRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    export: ExportRequest,
}

/// What the function needs.
pub struct GraphExport<C, Q> {
    /// Sends the graph.
    pub exporter: Exporter<Q>,
    /// The stream, which shows whether the graph was reset.
    pub stream: Client,
    /// The stream's generation.
    pub checkpoints: C,
    /// How long failures of the stream are retried.
    pub settings: Settings,
    /// Metrics of the function.
    pub metrics: Metrics,
}

impl<C: Checkpoints, Q: Queue> GraphExport<C, Q> {
    /// Runs the event and writes the metrics.
    ///
    /// # Errors
    /// As [`Exporter::export`]. The invocation fails.
    pub async fn handle(&self, event: LambdaEvent<Event>) -> Result<ExportResponse, Failure> {
        let time = time_left(&event.context);
        let generation = async || match current_progress(&self.stream, &self.checkpoints, &self.settings).await {
            Ok(progress) => Ok(progress.generation),
            Err(RunError::Checkpoint(failure) | RunError::Stream { failure, .. }) => Err(failure),
            Err(error) => Err(Failure::bug(DOING, error)),
        };
        // Boxed, because the nested future types exceed the compiler's limit.
        let response = Box::pin(self.exporter.export(event.payload.export, generation, time, &self.metrics)).await;
        self.metrics.flush();
        response.inspect_err(|failure| error!(kind = failure.kind.as_str(), %failure, "export stopped"))
    }
}

fn time_left(context: &Context) -> Duration {
    context.deadline().duration_since(SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn event_without_an_export_request_is_rejected() {
        let event = |json| serde_json::from_value::<Event>(json);
        assert!(event(json!({"export": {"dryRun": true}})).expect("an export").export.dry_run);
        for other in [json!({}), json!({"export": true}), json!({"replay": {}}), json!({"export": {}, "replay": {}})] {
            assert!(event(other).is_err());
        }
    }

    proptest! {
        /// A dry run stays a dry run.
        #[test]
        fn malformed_event_is_parsed_or_rejected(
            text in malformed_inputs::documents(&[r#"{"export":{"dryRun":true,"part":"edges","lostUntil":"12/3"}}"#]),
        ) {
            if let Ok(event) = serde_json::from_str::<Event>(&text) {
                let document: Value = serde_json::from_str(&text).expect("no field is ignored");
                prop_assert_eq!(document["export"]["dryRun"] == true, event.export.dry_run);
            }
        }
    }
}
