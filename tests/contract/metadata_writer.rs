//! `metadata-writer`: S3 events and workers' reports in, rows of the table `media` out.

use std::collections::BTreeSet;

use domain::media::MediaId;
use lambda_runtime_api::Function;
use serde_json::{Value, json};

use crate::{
    events::{event, sqs_event},
    media_environment::MediaEnvironment,
    photograph::{KEY, ready_report, store_photograph},
    responses::{consume, request},
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

/// An operator's decision, at a revision of the photograph's sequencer.
fn decision(kind: &str, revision: &str) -> Value {
    let sequencer = format!("{:0<24}{revision}", "0055AED6DCD90281E5");
    let decision = json!({
        "type": format!("app.iyagi.media.{kind}"), "id": MediaId::of_key(KEY), "sequencer": sequencer, "reason": "hate"
    });
    sqs_event(&[&decision.to_string()])
}

#[tokio::test]
async fn photograph_that_was_taken_down_stays_so_for_late_events_until_it_is_restored() {
    let media = MediaEnvironment::start("take-down").await;
    store_photograph(&media.aws).await;
    let mut writer = media.start_function("MetadataWriter").await;
    let mut worker = media.start_function("Thumbnailer").await;
    let mut api = media.start_function("MediaApi").await;
    let landed = event("photo-landed");
    consume(&mut writer, &landed).await;
    consume(&mut worker, &landed).await;
    let report = sqs_event(&[&serde_json::to_string(&media.receive_report().await).expect("JSON")]);
    consume(&mut writer, &report).await;
    let get = async |api: &mut Function, caller: &str| {
        let mut get = event("get-media-item");
        get["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = caller.into();
        let (status, body) = request(api, &get).await;
        (status, body["state"].clone(), body["takenDownFor"].clone())
    };
    let shown = (200, json!("ready"), Value::Null);
    assert_eq!(get(&mut api, "mina").await, shown);
    assert_eq!(get(&mut api, "sora").await, shown);

    // The second one has the same position: nothing changes.
    for _ in 0..2 {
        consume(&mut writer, &decision("take-down", "00000001")).await;
    }
    let row = &media.rows().await[0];
    let indexes: BTreeSet<_> = row.as_object().expect("a row").keys().filter(|name| name.contains("_for_")).collect();
    assert!(indexes.into_iter().eq(["all_for_owner", "kind_for_owner"]), "{row}");
    consume(&mut worker, &landed).await;
    assert_eq!(media.derived_keys(KEY).await, Vec::<String>::new());
    let mut later = landed.clone();
    later["Records"][0]["body"] = landed["Records"][0]["body"].as_str().expect("text").replace("E5\"", "E6\"").into();
    for message in [&landed, &report, &later, &landed] {
        consume(&mut writer, message).await;
        assert_eq!(get(&mut api, "mina").await, (200, json!("taken_down"), json!("hate")));
        assert_eq!(get(&mut api, "sora").await.0, 404);
    }
    // Of an earlier position than the later event.
    consume(&mut writer, &decision("restore", "00000002")).await;
    assert_eq!(get(&mut api, "sora").await.0, 404);
    let mut restore = decision("restore", "00000001");
    restore["Records"][0]["body"] = restore["Records"][0]["body"].as_str().expect("text").replace("E5", "E6").into();
    consume(&mut writer, &restore).await;
    assert_eq!(get(&mut api, "sora").await, (200, json!("processing"), Value::Null));
    consume(&mut worker, &later).await;
    assert_eq!(media.derived_keys(KEY).await.len(), 4);

    consume(&mut writer, &decision("take-down", "00000009")).await;
    consume(&mut writer, &event("photo-removed")).await;
    assert_eq!(media.states().await, ["deleted"]);
    assert_eq!(get(&mut api, "mina").await.0, 404);
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
