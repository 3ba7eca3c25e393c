//! `upload-api`: declarations in, signed requests out.

use serde_json::json;
use test_support::{photographs::photograph, s3_events::s3_notification};

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
