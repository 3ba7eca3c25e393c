//! One person uploads as much as they can; others notice nothing.
//!
//! Functions: upload-api, audio-worker, metadata-writer, media-api.

use domain::media::{Kind, MediaId};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use stack::uploads::{UploadFile, checksum, put_presigned};
use test_support::{wait::wait_until, wav::voice};

use crate::deployed::Deployed;

/// Recordings of the person who floods. The template's `FastRecordings` are processed at once.
const FLOOD: usize = 40;
const FAST: usize = 10;

fn recording(bytes: Vec<u8>) -> UploadFile<'static> {
    UploadFile {
        kind: Kind::Audio,
        name: "story.wav",
        content_type: "audio/wav",
        bytes,
        visibility: "private",
        post: None,
    }
}

fn media_id(upload: &Value) -> MediaId {
    upload["mediaId"].as_str().and_then(|id| id.parse().ok()).expect("id")
}

#[tokio::test]
async fn recording_of_a_neighbour_is_ready_while_one_person_floods() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("mina").await, deployed.sign_up("jun").await);
    let (bytes, own_bytes) = (voice(8.0), voice(2.0));
    let mut uploads = Vec::new();
    for _ in 0..FLOOD {
        let response = deployed.post(&mina, "/v1/uploads", &recording(bytes.clone()).request_body()).await;
        assert_eq!(response.status, 201, "{response:?}");
        uploads.push(response.body);
    }
    for (index, upload) in uploads.iter().enumerate() {
        let lane = &upload["headers"]["x-amz-meta-lane"];
        assert_eq!(lane, &if index < FAST { Value::Null } else { json!("slow") }, "{index}");
    }
    let own = deployed.post(&jun, "/v1/uploads", &recording(own_bytes.clone()).request_body()).await.body;
    let put = async |upload: &Value| put_presigned(upload, bytes.clone()).await.expect("response").as_u16();
    let statuses: Vec<_> = stream::iter(&uploads).map(put).buffer_unordered(8).collect().await;
    assert_eq!(statuses, [200; FLOOD]);

    assert_eq!(put_presigned(&own, own_bytes).await.expect("response"), 200);
    assert_eq!(deployed.wait_until_processed_for(&jun, media_id(&own)).await["state"], "ready");
    // One request: the others are processed meanwhile.
    let items = deployed.list_all(&mina, &format!("limit={FLOOD}")).await;
    let waiting = FLOOD - items.iter().filter(|item| item["state"] == "ready").count();
    // Behind them in one queue, it would be ready when only the last ones of the flood are being processed, two at a time.
    assert!(waiting > 5, "{waiting} of {FLOOD} wait");
    for upload in &uploads {
        let id = media_id(upload);
        assert_eq!(deployed.wait_until_processed_for(&mina, id).await["state"], "ready");
    }
    // Finished recordings no longer count.
    let next = deployed.post(&mina, "/v1/uploads", &recording(bytes).request_body()).await;
    assert_eq!((next.status, &next.body["headers"]["x-amz-meta-lane"]), (201, &Value::Null));
}

/// Started at the same time, as an app does that sends what was recorded without a network.
#[tokio::test]
async fn parallel_starts_share_the_fast_lane() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("mina").await;
    let body = recording(voice(1.0)).request_body();
    let start = async || {
        let response = deployed.post(&mina, "/v1/uploads", &body).await;
        assert_eq!(response.status, 201, "{response:?}");
        response.body["headers"]["x-amz-meta-lane"].is_null()
    };
    let are_fast: Vec<_> = stream::iter(0..2 * FAST).map(|_| start()).buffer_unordered(2 * FAST).collect().await;
    assert_eq!(are_fast.into_iter().filter(|is_fast| *is_fast).count(), FAST);
}

#[tokio::test]
async fn person_beyond_the_bytes_of_a_day_gets_429_and_others_do_not() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("mina").await, deployed.sign_up("jun").await);
    // The template allows 20 GiB. Only the declaration counts: nothing is sent.
    let largest = json!({
        "kind": "audio", "contentType": "audio/wav", "size": 2_u64 << 30, "checksum": checksum(b""), "visibility": "private"
    });
    for _ in 0..10 {
        assert_eq!(deployed.post(&mina, "/v1/uploads", &largest).await.status, 201);
    }
    let refused = deployed.post(&mina, "/v1/uploads", &largest).await;
    assert_eq!(refused.problem(), (429, "urn:iyagi:problem:upload-budget-exceeded"));
    assert!(refused.retry_after.is_some_and(|seconds| (1..=86_400).contains(&seconds)), "{refused:?}");
    assert_eq!(deployed.post(&jun, "/v1/uploads", &largest).await.status, 201);
}

#[tokio::test]
async fn retry_with_its_idempotency_key_counts_once() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("mina").await;
    let body = recording(voice(1.0)).request_body();
    let start = async || {
        let headers = [("idempotency-key", "one")];
        let method = http::Method::POST;
        deployed.request_with_headers(&mina, method, "/v1/uploads", &headers, Some(&body)).await.status
    };
    for _ in 0..3 {
        assert_eq!(start().await, 201);
    }
    let day = async || {
        let key = json!({":owner": {"S": mina.id}, ":day": {"S": "day#"}});
        let query = json!({
            "TableName": deployed.output("QuotasTableName"), "ExpressionAttributeValues": key,
            "KeyConditionExpression": "#owner = :owner AND begins_with(#item, :day)",
            "ExpressionAttributeNames": {"#owner": "owner", "#item": "item"},
        });
        let rows = deployed.aws.json("dynamodb", "DynamoDB_20120810.Query", &query).await.expect("rows");
        rows["Items"].as_array().cloned().unwrap_or_default()
    };
    wait_until("one counted upload", async || {
        let uploads: u64 = day().await.iter().filter_map(|row| row["uploads"]["N"].as_str()?.parse::<u64>().ok()).sum();
        uploads == 1
    })
    .await;
}
