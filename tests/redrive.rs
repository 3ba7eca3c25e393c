//! A picture that cannot be processed now: back to its queue, then to its dead-letter queue, and
//! from there, when the fault is mended, to its variants. Apart from the other end-to-end tests,
//! because it makes the queue impatient.

mod support;

use domain::media::MediaId;
use http::Method;
use serde_json::json;
use support::{Deployed, eventually, photograph, send_message, take_messages};

#[tokio::test]
async fn a_thumbnail_that_fails_is_tried_again_and_not_lost() {
    let deployed = Deployed::get();
    let derived = deployed.output("DerivedBucketName");
    let key = "photo/unlucky/a.jpg";
    let id = MediaId::of_key(key);
    // The fault: this item's variants cannot be stored.
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{derived}/{id}/*")
    }]});
    let path = format!("/{derived}?policy");
    let answer = deployed.aws.send("s3", Method::PUT, &path, &[], policy.to_string().into_bytes()).await;
    assert!(answer.expect("an answer").status.is_success());
    // Five tries would take half an hour with the template's visibility time-out.
    let queue = deployed.output("ThumbnailQueueUrl");
    set_visibility_timeout(&deployed, queue, 1).await;

    deployed.upload(key, "image/jpeg", photograph("고양이.jpg")).await;
    let dead_letters = deployed.output("ThumbnailDeadLettersUrl");
    let dead = eventually("the dead letter", async || {
        take_messages(&deployed.aws, dead_letters, |body| body.contains("photo/unlucky")).await.pop()
    })
    .await;
    let item = deployed.item(id).await.expect("an item");
    assert_eq!(item["state"], "processing", "a passing fault is no failure of the picture");

    let answer = deployed.aws.send("s3", Method::DELETE, &path, &[], Vec::new()).await;
    assert!(answer.expect("an answer").status.is_success());
    set_visibility_timeout(&deployed, queue, 360).await;
    send_message(&deployed.aws, queue, &dead).await;
    assert_eq!(deployed.outcome(id).await["state"], "ready");
}

async fn set_visibility_timeout(deployed: &Deployed, queue: &str, seconds: u32) {
    let input = json!({"QueueUrl": queue, "Attributes": {"VisibilityTimeout": seconds.to_string()}});
    deployed.aws.json("sqs", "AmazonSQS.SetQueueAttributes", &input).await.expect("set");
}
