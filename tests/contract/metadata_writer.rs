//! `metadata-writer`: S3 events and workers' reports in, rows of the table `media` out.

use crate::{
    events::{event, sqs_event},
    media_environment::MediaEnvironment,
    photograph::{ready_report, store_photograph},
    responses::consume,
};

#[tokio::test]
async fn events_in_any_order_give_the_same_row() {
    let media = MediaEnvironment::start("writer").await;
    store_photograph(&media.aws).await;
    let mut writer = media.start_function("MetadataWriter").await;
    let ready = sqs_event(&[&serde_json::to_string(&ready_report()).expect("JSON")]);
    for event in [&ready, &event("photo-landed"), &ready, &event("photo-landed")] {
        consume(&mut writer, event).await;
        assert_eq!(media.states().await, ["ready"]);
    }
    for event in [&event("photo-removed"), &ready, &event("photo-landed")] {
        consume(&mut writer, event).await;
        assert_eq!(media.states().await, ["deleted"]);
    }
    assert!(media.rows().await[0]["expires_at"]["N"].is_string(), "the tombstone has no expiry");
}

#[tokio::test]
async fn poison_message_goes_to_dead_letter_queue_alone() {
    let media = MediaEnvironment::start("writer-poison").await;
    store_photograph(&media.aws).await;
    let mut writer = media.start_function("MetadataWriter").await;
    consume(&mut writer, &event("batch-with-poison")).await;
    assert_eq!(media.receive_dead_letter().await, "this is not JSON");
    // The missing object gets no row: its deletion event will come.
    assert_eq!(media.states().await, ["processing"]);
}
