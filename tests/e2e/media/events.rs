//! Messages in the queues that no worker can process, or that change nothing.

use serde_json::json;
use test_support::{
    queues::{send_message, take_messages},
    s3_events::s3_notification,
    wait::wait_until,
};

use crate::deployed::Deployed;

/// Queues and their dead-letter queues, by the names of the outputs.
const QUEUES: [(&str, &str); 2] =
    [("ThumbnailQueueUrl", "ThumbnailDeadLettersUrl"), ("MetadataQueueUrl", "MetadataDeadLettersUrl")];

#[tokio::test]
async fn unreadable_message_is_dead_lettered_at_once() {
    let deployed = Deployed::shared().await;
    for (queue, dead_letters) in QUEUES {
        let poison = format!("not JSON, on {queue}");
        send_message(&deployed.aws, deployed.output(queue), &poison).await;
        wait_until("the dead letter", async || {
            let taken = take_messages(&deployed.aws, deployed.output(dead_letters), |body| body == poison).await;
            !taken.is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn event_without_effect_is_acknowledged() {
    let deployed = Deployed::shared().await;
    let test_event = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-22T00:00:00.000Z"});
    let unowned = s3_notification("ObjectCreated:Put", "photo/unowned.jpg", "0A", 1, "e");
    for (queue, _) in QUEUES {
        send_message(&deployed.aws, deployed.output(queue), &test_event.to_string()).await;
        send_message(&deployed.aws, deployed.output(queue), &unowned).await;
    }
    for (queue, dead_letters) in QUEUES {
        // A message that is not acknowledged stays in flight for minutes.
        wait_until(&format!("{queue} to be empty"), async || deployed.is_queue_empty(queue).await).await;
        let ours = |body: &str| body.contains("unowned.jpg") || body.contains("TestEvent");
        assert_eq!(take_messages(&deployed.aws, deployed.output(dead_letters), ours).await, [""; 0]);
    }
}
