//! `thumbnailer`: pictures in, variants and reports out.

use domain::media::{Derivatives, Outcome};
use serde_json::json;
use test_support::oversized_pictures::{large_png, oversized_pictures};

use crate::{
    events::{event, store_original},
    media_environment::{MediaEnvironment, start_disconnected},
    photograph::{KEY, ready_report, store_photograph},
    responses::{consume, invoke},
};

/// `MemorySize` of the thumbnailer in the template, in bytes.
const MEMORY: u64 = 1769 * 1024 * 1024;

/// A 451 × 300 picture has no variant of 1080 pixels: two sizes as two types.
const VARIANTS: usize = 4;

#[tokio::test]
async fn photograph_event_creates_variants_and_report_until_removal() {
    let media = MediaEnvironment::start("thumbnailer").await;
    store_photograph(&media.aws).await;
    let mut thumbnailer = media.start_function("Thumbnailer").await;
    // The second delivery changes nothing.
    for _ in 0..2 {
        consume(&mut thumbnailer, &event("photo-landed")).await;
        assert_eq!(media.derived_keys(KEY).await.len(), VARIANTS);
        let report = media.receive_report().await;
        assert_eq!(report.original, ready_report().original);
        let Outcome::Ready(Derivatives::Picture(picture)) = report.outcome else { panic!("not ready") };
        assert_eq!((picture.width, picture.height), (451, 300));
    }
    consume(&mut thumbnailer, &event("photo-removed")).await;
    assert!(media.derived_keys(KEY).await.is_empty());
}

#[tokio::test]
async fn poison_message_goes_to_dead_letter_queue_alone() {
    let media = MediaEnvironment::start("thumbnailer-poison").await;
    store_photograph(&media.aws).await;
    let mut thumbnailer = media.start_function("Thumbnailer").await;
    // Four messages: no JSON, a missing object, S3's test event, and a valid one.
    consume(&mut thumbnailer, &event("batch-with-poison")).await;
    assert_eq!(media.receive_dead_letter().await, "this is not JSON");
    media.receive_report().await;
    assert_eq!(media.derived_keys(KEY).await.len(), VARIANTS);
}

#[tokio::test]
async fn unreachable_aws_returns_messages_to_queue() {
    let mut thumbnailer = start_disconnected("Thumbnailer").await;
    let response = invoke(&mut thumbnailer, &event("batch-with-poison")).await;
    // All but the third, S3's test event, which needs no call of AWS.
    let failures = ["01", "02", "04"].map(|number| format!("19dd0b57-b21e-4ac1-bd88-01bbb068cb{number}"));
    let failures = failures.map(|id| json!({"itemIdentifier": id}));
    assert_eq!(response, json!({"batchItemFailures": failures}));
}

#[tokio::test]
async fn oversized_picture_fails_within_a_quarter_of_the_memory() {
    let media = MediaEnvironment::start("thumbnailer-memory").await;
    let mut thumbnailer = media.start_function("Thumbnailer").await;
    for (name, content) in oversized_pictures() {
        let created = store_original(&media.aws, &format!("photo/mina/{name}"), content).await;
        consume(&mut thumbnailer, &created).await;
        let report = media.receive_report().await;
        assert!(matches!(report.outcome, Outcome::Failed { .. }), "{name}: {report:?}");
        let peak = thumbnailer.peak_memory().expect("memory");
        assert!(peak < MEMORY / 4, "{name} took {} MiB", peak / 1024 / 1024);
    }
}

#[tokio::test]
async fn largest_allowed_picture_is_decoded_within_the_memory() {
    let media = MediaEnvironment::start("thumbnailer-largest").await;
    let mut thumbnailer = media.start_function("Thumbnailer").await;
    // 8,000 × 8,000 pixels is the cap. The worst case is a PNG with alpha, which is decoded as a whole.
    let created = store_original(&media.aws, KEY, large_png(8_000)).await;
    consume(&mut thumbnailer, &created).await;
    let report = media.receive_report().await;
    assert!(matches!(report.outcome, Outcome::Ready(_)), "{report:?}");
    let peak = thumbnailer.peak_memory().expect("memory");
    assert!(peak < MEMORY, "took {} MiB", peak / 1024 / 1024);
}
