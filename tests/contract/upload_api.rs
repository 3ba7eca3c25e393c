//! `upload-api`: declarations in, signed requests out.

use serde_json::{Value, json};
use test_support::{photographs::photograph, s3_events::s3_notification};
use tokio::task::JoinSet;

use crate::{
    events::{event, sqs_event},
    media_environment::MediaEnvironment,
    responses::{consume, request},
};

#[tokio::test]
async fn signed_upload_stores_what_was_declared() {
    let media = MediaEnvironment::start("upload").await;
    let mut api = media.start_function("UploadApi").await;
    let (status, upload) = request(&mut api, &event("start-upload")).await;
    assert_eq!((status, &upload["way"]), (201, &json!("put")), "{upload}");
    let content = photograph("고양이.jpg");
    let stored = stack::uploads::put_presigned(&upload, content.clone()).await.expect("response");
    assert_eq!(stored, 200);

    let key = format!("photo/mina/{}", upload["id"].as_str().expect("id"));
    let etag = media.aws.etag("originals", &key).await.expect("ETag");
    let created = s3_notification("ObjectCreated:Put", &key, "0A", content.len(), &etag);
    let mut writer = media.start_function("MetadataWriter").await;
    consume(&mut writer, &sqs_event(&[&created])).await;
    let rows = media.rows().await;
    let text = |name: &str| rows[0][name]["S"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        ["id", "visibility", "post", "file_name", "content_type", "post_for_owner", "post_for_anyone"].map(text),
        [upload["mediaId"].as_str().expect("id"), "private", "story-1", "고양이.jpg", "image/jpeg", "story-1#mina", ""]
    );
}

/// Each start has an execution environment of its own. The tables are real, the order of their calls is any.
#[tokio::test]
async fn parallel_starts_stay_within_the_budget() {
    let media = MediaEnvironment::start("upload-budget").await;
    let mut environments = Vec::new();
    for _ in 0..6 {
        let budget = [("PENDING_UPLOADS", "4"), ("FAST_RECORDINGS", "2")];
        environments.push(media.start_function_with("UploadApi", &budget).await);
    }
    let recording = json!({
        "kind": "audio", "contentType": "audio/wav", "size": 1000, "visibility": "private",
        "checksum": stack::uploads::checksum(b""),
    });
    let mut start = event("start-upload");
    start["body"] = recording.to_string().into();
    let mut starts = JoinSet::new();
    for mut api in environments {
        let start = start.clone();
        starts.spawn(async move { [request(&mut api, &start).await, request(&mut api, &start).await] });
    }
    let answers: Vec<(u64, Value)> = starts.join_all().await.into_iter().flatten().collect();
    let number = |expected: u64| answers.iter().filter(|(status, _)| *status == expected).count();
    assert_eq!((number(201), number(429)), (4, 8), "{answers:?}");
    let is_fast = |(status, upload): &&(u64, Value)| *status == 201 && upload["headers"]["x-amz-meta-lane"].is_null();
    assert_eq!(answers.iter().filter(is_fast).count(), 2, "{answers:?}");
    let rows = media.rows_of("quotas").await;
    let row = |item: &str| rows.iter().find(|row| row["item"]["S"].as_str().is_some_and(|name| name.starts_with(item)));
    assert_eq!(row("day#").expect("a day")["uploads"]["N"], "4");
    assert_eq!(row("pending").expect("uploads")["uploads"]["L"].as_array().map(Vec::len), Some(4));
}
