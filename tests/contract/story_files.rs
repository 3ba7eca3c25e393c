//! A file of a story: metadata-writer sends it, and media-api gives it the visibility of the story.

use domain::{graph::Position, media::MediaId, push::Register};
use http::Method;
use lambda_runtime_api::Function;
use serde_json::{Value, json};
use test_support::{photographs::photograph, s3_events::s3_notification};

use crate::{
    events::{event, sqs_event},
    media_environment::MediaEnvironment,
    responses::{consume, problem},
};

const KEY: &str = "photo/mina/story.jpg";

/// Writes the row of a story that mina has told, with this visibility, as push-fanout does.
async fn project(media: &MediaEnvironment, commit: u64, visibility: &str) {
    let register = |text: &str| json!({"S": Register::new(Position::new(commit, 1), text).to_string()});
    let row = json!({
        "pk": {"S": "vertex#story-1"}, "sk": {"S": "facts"},
        "r:visibility": register(visibility), "r:owner#e1": register("told mina"),
    });
    let put = json!({"TableName": "audience", "Item": row});
    media.aws.json("dynamodb", "DynamoDB_20120810.PutItem", &put).await.expect("stored");
}

async fn visibility(media: &MediaEnvironment) -> String {
    let head =
        media.aws.send("s3", Method::HEAD, &format!("/originals/{KEY}"), &[], Vec::new()).await.expect("a response");
    head.headers["x-amz-meta-visibility"].to_str().expect("text").to_owned()
}

/// A request for another visibility by the owner.
fn set_visibility() -> Value {
    let mut request = event("get-media-item");
    request["routeKey"] = "PUT /v1/media/{id}/visibility".into();
    request["pathParameters"]["id"] = MediaId::of_key(KEY).to_string().into();
    request["body"] = json!({"visibility": "public"}).to_string().into();
    request
}

#[tokio::test]
async fn file_gets_the_visibility_of_its_story() {
    let media = MediaEnvironment::start_with_index("story-files", "post_for_owner").await;
    let mut writer = media.start_function("MetadataWriter").await;
    let queue = [("QUEUE_URL", media.story_files_queue())];
    let mut api: Function = media.start_function_with("MediaApi", &queue).await;
    let content = photograph("고양이.jpg");
    let size = content.len();
    let headers = [("content-type", "image/jpeg"), ("x-amz-meta-visibility", "public"), ("x-amz-meta-post", "story-1")];
    let stored = media.aws.send("s3", Method::PUT, &format!("/originals/{KEY}"), &headers, content).await;
    assert!(stored.expect("a response").status.is_success());
    let etag = media.aws.etag("originals", KEY).await.expect("ETag");
    let landed = sqs_event(&[&s3_notification("ObjectCreated:Put", KEY, "0A", size, &etag)]);

    // The story is older than the file.
    project(&media, 7, "private").await;
    consume(&mut writer, &landed).await;
    let file = format!(r#"{{"type":"app.iyagi.story.file","item":"{}"}}"#, MediaId::of_key(KEY));
    assert_eq!(media.receive_story_files(1).await, std::slice::from_ref(&file));
    for _ in 0..2 {
        consume(&mut api, &sqs_event(&[&file])).await;
        assert_eq!(visibility(&media).await, "private");
    }
    assert_eq!(problem(&mut api, &set_visibility()).await, (409, json!("urn:iyagi:problem:conflict")));

    // The story changes: its file follows, unless it is shown while it is being processed.
    project(&media, 8, "followers").await;
    consume(&mut api, &event("story-files")).await;
    assert_eq!(media.receive_story_files(1).await, std::slice::from_ref(&file), "the second pass is delayed");
    consume(&mut api, &sqs_event(&[&file])).await;
    assert_eq!(visibility(&media).await, "private");

    consume(&mut api, &sqs_event(&["this is no message"])).await;
    assert_eq!(media.receive_dead_letter().await, "this is no message");
}
