//! Dead-letter queues: look and redrive.

use serde_json::{Value, json};
use test_support::{
    photographs::photograph,
    queues::{receive_messages, send_message, take_messages},
    s3_events::s3_notification,
    wait::wait_until,
};
use uuid::Uuid;

use super::run_ops;
use crate::deployed::Deployed;

/// Sends a message to a dead-letter queue with a failure, as the functions do.
async fn send_dead_letter(deployed: &Deployed, queue: &str, body: &str, failure: &str, group: Option<&str>) {
    let failure = json!({"failure": {"DataType": "String", "StringValue": failure}});
    let mut input = json!({"QueueUrl": deployed.output(queue), "MessageBody": body, "MessageAttributes": failure});
    if let Some(group) = group {
        input["MessageGroupId"] = group.into();
        input["MessageDeduplicationId"] = Uuid::new_v4().to_string().into();
    }
    deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("message sent");
}

/// Deletes the messages that other tests have left in a queue.
async fn empty(deployed: &Deployed, queue: &str) {
    wait_until("an empty queue", async || {
        take_messages(&deployed.aws, deployed.output(queue), |_| true).await.is_empty()
    })
    .await;
}

fn dead_letters_of(report: &Value) -> &[Value] {
    report["letters"].as_array().expect("dead letters")
}

/// Sends an unreadable message to a queue, and checks how `queue look` shows its dead letter.
async fn check_unreadable_message(deployed: &Deployed, name: &str, queue: &str, dead_letters: &str) {
    let body = format!("\"미나\" {}", Uuid::new_v4());
    send_message(&deployed.aws, deployed.output(queue), &body).await;
    let kind = format!("unreadable, {} bytes", body.len());
    wait_until("the dead letter in the report", async || {
        let report = run_ops(deployed, &["queue", "look", name]).await;
        let Some(letter) = dead_letters_of(&report).iter().find(|letter| letter["kind"] == kind) else { return false };
        let failure = letter["failure"].as_str().expect("failure");
        assert!(failure.starts_with("could not read the message: ") && !failure.contains("미나"), "{letter}");
        true
    })
    .await;
    wait_until("the dead letter", async || {
        !take_messages(&deployed.aws, deployed.output(dead_letters), |dead| dead == body).await.is_empty()
    })
    .await;
}

// Exclusive: it counts receives of a dead letter, and every reader of the queue adds one. Its redrive takes all messages
// of the queue.
#[tokio::test]
async fn redriven_dead_letter_is_processed() {
    let deployed = Deployed::exclusive().await;
    check_unreadable_message(&deployed, "thumbnail", "ThumbnailQueueUrl", "ThumbnailDeadLettersUrl").await;
    let key = format!("photo/{}/고양이.jpg", Uuid::new_v4());
    let content = photograph("고양이.jpg");
    let id = deployed.put_original(&key, "image/jpeg", content.clone()).await;
    deployed.wait_until_processed(id).await;
    for variant in deployed.derived_keys(id).await {
        deployed.aws.delete_object(deployed.output("DerivedBucketName"), &variant).await.expect("object deleted");
    }
    let etag = deployed.aws.etag(deployed.output("OriginalsBucketName"), &key).await.expect("ETag");
    let body = s3_notification("ObjectCreated:Put", &key, "00000000000000FF", content.len(), &etag);
    let failure = "could not store a file that was made: invalid type: string \"미나\"";
    send_dead_letter(&deployed, "ThumbnailDeadLettersUrl", &body, failure, None).await;

    for received in 1..=2 {
        let report = run_ops(&deployed, &["queue", "look", "thumbnail"]).await;
        let letter =
            dead_letters_of(&report).iter().find(|letter| letter["kind"] == format!("S3 event: media {id} created"));
        let letter = letter.unwrap_or_else(|| panic!("it is missing: {report}"));
        assert_eq!(letter["failure"], "could not store a file that was made: invalid type: string …");
        assert_eq!(letter["received"], received, "a look leaves it visible: {report}");
        assert!(!report.to_string().contains("고양이") && !report.to_string().contains("미나"), "{report}");
    }

    let dry_run = run_ops(&deployed, &["queue", "redrive", "thumbnail"]).await;
    assert_eq!((&dry_run["applied"], dry_run["messages"].as_u64() >= Some(1)), (&json!(false), true), "{dry_run}");
    assert!(deployed.derived_keys(id).await.is_empty(), "the dry run sends it");
    let redriven = run_ops(&deployed, &["queue", "redrive", "thumbnail", "--apply"]).await;
    assert!(redriven["messages"].as_u64() >= Some(1), "{redriven}");
    wait_until("the variants", async || !deployed.derived_keys(id).await.is_empty()).await;
    let report = run_ops(&deployed, &["queue", "look", "thumbnail"]).await;
    assert!(!report.to_string().contains(&id.to_string()), "it is still in the queue: {report}");
}

#[tokio::test]
async fn unreadable_message_is_shown_with_its_failure() {
    let deployed = Deployed::shared().await;
    check_unreadable_message(&deployed, "audio", "AudioQueueUrl", "AudioDeadLettersUrl").await;
    check_unreadable_message(&deployed, "metadata", "MetadataQueueUrl", "MetadataDeadLettersUrl").await;
    for (name, queue) in [("picture-reports", "PictureReports"), ("sound-reports", "SoundReports")] {
        check_unreadable_message(&deployed, name, &format!("{queue}QueueUrl"), &format!("{queue}DeadLettersUrl")).await;
    }
}

// Exclusive: it empties the queue, and counts all messages in it.
#[tokio::test]
async fn redriven_fifo_messages_keep_order_and_poison_is_dead_lettered_again() {
    let deployed = Deployed::exclusive().await;
    empty(&deployed, "SearchDeadLettersUrl").await;
    let group = format!("vertex/{}", Uuid::new_v4());
    for number in 0..12 {
        let body = format!("poison {number} of {group}");
        send_dead_letter(&deployed, "SearchDeadLettersUrl", &body, "could not read the message", Some(&group)).await;
    }
    let report = run_ops(&deployed, &["queue", "look", "search"]).await;
    assert!(dead_letters_of(&report).len() >= 10, "SQS returns ten of a group: {report}");
    let redriven = run_ops(&deployed, &["queue", "redrive", "search", "--apply"]).await;
    assert!(redriven["messages"].as_u64() >= Some(12), "{redriven}");
    // search-indexer cannot read them, and dead-letters each of them again.
    let is_unreadable = |letter: &&Value| letter["kind"].as_str().is_some_and(|kind| kind.starts_with("unreadable, "));
    wait_until("all messages to be dead-lettered again", async || {
        let report = run_ops(&deployed, &["queue", "look", "search"]).await;
        let unreadable = dead_letters_of(&report).iter().filter(is_unreadable).count();
        report["messages"].as_u64() == Some(12) && unreadable >= 10
    })
    .await;
    let bodies = receive_messages(&deployed.aws, deployed.output("SearchDeadLettersUrl"), 12).await;
    let expected: Vec<_> = (0..12).map(|number| format!("poison {number} of {group}")).collect();
    assert_eq!(bodies, expected);
}

// Exclusive: it empties the queue, and expects no other message in it.
#[tokio::test]
async fn change_too_large_for_a_message_is_not_redriven() {
    let deployed = Deployed::exclusive().await;
    let id = format!("story-{}", Uuid::new_v4());
    empty(&deployed, "GraphChangesDeadLettersUrl").await;
    let stub = json!({"id": "local/1/1", "type": "app.iyagi.graph.vertex.added", "bytes": 300_000}).to_string();
    send_dead_letter(&deployed, "GraphChangesDeadLettersUrl", &stub, "too large", Some(&id)).await;
    let redriven = run_ops(&deployed, &["queue", "redrive", "graph-changes", "--apply"]).await;
    assert_eq!((&redriven["messages"], &redriven["unfit"]), (&json!(0), &json!(1)), "{redriven}");
    let report = run_ops(&deployed, &["queue", "look", "graph-changes"]).await;
    assert_eq!(dead_letters_of(&report)[0]["kind"], "change too large for a message");
    receive_messages(&deployed.aws, deployed.output("GraphChangesDeadLettersUrl"), 1).await;
}
