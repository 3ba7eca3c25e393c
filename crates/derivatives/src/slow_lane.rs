//! Moves originals of people with very much unfinished work, and those whose visibility was changed, to a queue of their
//! own, so that others do not wait behind them.

use domain::{
    media::{Notification, ObjectChange},
    upload::Lane,
};
use function_kit::{batch::Queue, failure::Failure};
use tracing::info;

use crate::originals::Originals;

/// The second queue of a worker.
pub struct SlowLane {
    pub originals: Originals,
    pub queue: Queue,
}

impl SlowLane {
    /// Whether one of the originals of a message belongs to the slow lane: by the object's metadata, which the upload's
    /// signature covers.
    pub async fn takes(&self, body: &str) -> Result<bool, Failure> {
        // The worker reports what it cannot read.
        let Ok(notification) = Notification::parse(body) else { return Ok(false) };
        for event in &notification.events {
            if !matches!(event.change, ObjectChange::Created { .. }) {
                continue;
            }
            // A deleted original is not in the lane: there is nothing to process.
            let object = self.originals.head(&event.key).await?;
            if object.is_some_and(|object| object.lane == Lane::Slow) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Moves a message here. A repeat is moved again: workers expect repeated events.
    pub async fn send(&self, body: &str) -> Result<(), Failure> {
        let send = self.queue.sqs.send_message().queue_url(&self.queue.url).message_body(body);
        send.send().await.map_err(|error| Failure::aws("move a message to the slow lane", error))?;
        info!("moved to the slow lane");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::operation::head_object::HeadObjectOutput;
    use aws_sdk_sqs::operation::send_message::SendMessageOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::media::{ObjectEvent, ObjectVersion, Sequencer};

    use super::*;

    #[tokio::test]
    async fn lane_is_that_of_the_object() {
        let slow = mock!(aws_sdk_s3::Client::head_object)
            .match_requests(|request| request.key() == Some("audio/mina/slow"))
            .then_output(|| HeadObjectOutput::builder().content_length(1).metadata("lane", "slow").build());
        let fast = mock!(aws_sdk_s3::Client::head_object)
            .match_requests(|request| request.key() == Some("audio/mina/fast"))
            .then_output(|| {
                HeadObjectOutput::builder().content_length(1).metadata("lane", "of a later version").build()
            });
        let sent = mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(|request| request.queue_url() == Some("https://sqs/slow"))
            .then_output(|| SendMessageOutput::builder().build());
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&sent]);
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&slow, &fast]);
        let lane = SlowLane {
            originals: Originals { s3, bucket: "originals".to_owned() },
            queue: Queue { sqs, url: "https://sqs/slow".to_owned(), dead_letters_url: "https://sqs/dead".to_owned() },
        };
        let event = |name: &str, change| ObjectEvent {
            key: format!("audio/mina/{name}"),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change,
        };
        let created = || ObjectChange::Created { size: 1, version: ObjectVersion::of_etag("e") };
        for (body, moves) in [
            (event("slow", created()).to_notification(), true),
            (event("fast", created()).to_notification(), false),
            (event("slow", ObjectChange::Removed).to_notification(), false),
            ("not JSON".to_owned(), false),
        ] {
            assert_eq!(lane.takes(&body).await.expect("an answer"), moves, "{body}");
        }
        lane.send("a message").await.expect("sent");
        assert_eq!(sent.num_calls(), 1);
    }
}
