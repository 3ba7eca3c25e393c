//! A transient fault: retries with backoff, then the dead-letter queue, then a redrive once the fault is repaired.
//!
//! Functions: thumbnailer, metadata-writer, upload-api, media-api.

use std::time::{Duration, Instant};

use domain::media::MediaId;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use test_support::{
    photographs::photograph,
    queues::{send_message, take_messages},
    wait::wait_for,
    wav::voice,
};

use crate::deployed::Deployed;

/// An original whose files cannot be stored.
struct FailingOriginal {
    /// The prefix of the outputs of its queues.
    queue: &'static str,
    key: &'static str,
    content_type: &'static str,
    content: Vec<u8>,
}

/// A message that has used up its retries.
struct DeadLettered {
    id: MediaId,
    queue_url: String,
    body: String,
}

// Exclusive: for a time, two queues dead-letter messages after two receives, also those of other tests.
#[tokio::test]
async fn transient_failure_is_retried_dead_lettered_and_redriven() {
    let deployed = Deployed::exclusive().await;
    let originals = [
        FailingOriginal {
            queue: "Thumbnail",
            key: "photo/unlucky/a.jpg",
            content_type: "image/jpeg",
            content: photograph("고양이.jpg"),
        },
        FailingOriginal { queue: "Audio", key: "audio/unlucky/a.wav", content_type: "audio/wav", content: voice(1.0) },
    ];
    // The fault: the bucket refuses the files derived from these originals.
    let derived = deployed.output("DerivedBucketName");
    let path = format!("/{derived}?policy");
    let resources = originals.each_ref().map(|one| format!("arn:aws:s3:::{derived}/{}/*", MediaId::of_key(one.key)));
    let fault = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": resources
    }]});
    let before = deployed.aws.send("s3", Method::GET, &path, &[], Vec::new()).await.expect("response");
    assert!(before.status.is_success(), "{}", before.status);
    put_bucket_policy(&deployed, &path, fault.to_string().into_bytes()).await;
    let dead_lettered = join_all(originals.map(|original| fail_twice(&deployed, original))).await;
    put_bucket_policy(&deployed, &path, before.body).await;
    for DeadLettered { id, queue_url, body } in dead_lettered {
        send_message(&deployed.aws, &queue_url, &body).await;
        assert_eq!(deployed.wait_until_processed(id).await["state"], "ready");
    }
}

/// Uploads the original and waits for its dead letter after two receives.
async fn fail_twice(deployed: &Deployed, original: FailingOriginal) -> DeadLettered {
    let FailingOriginal { queue, key, content_type, content } = original;
    let queue_url = deployed.output(&format!("{queue}QueueUrl"));
    // The five receives of the template would take 22 minutes.
    let policy = redrive_policy(deployed, queue_url).await;
    let mut short = policy.clone();
    short["maxReceiveCount"] = json!(2);
    set_redrive_policy(deployed, queue_url, &short).await;
    let start = Instant::now();
    let id = deployed.put_original(key, content_type, content).await;
    let dead_letters = deployed.output(&format!("{queue}DeadLettersUrl"));
    let body = wait_for("the dead letter", async || {
        take_messages(&deployed.aws, dead_letters, |body| body.contains("unlucky")).await.pop()
    })
    .await;
    set_redrive_policy(deployed, queue_url, &policy).await;
    // The backoffs are 5 s and 30 s. The visibility timeouts would be minutes.
    assert!(start.elapsed() > Duration::from_secs(30), "{queue}: {:?}", start.elapsed());
    let item = deployed.item(id).await.expect("item");
    assert_eq!(item["state"], "processing", "a transient fault is no failure of the original");
    DeadLettered { id, queue_url: queue_url.to_owned(), body }
}

async fn put_bucket_policy(deployed: &Deployed, path: &str, policy: Vec<u8>) {
    let response = deployed.aws.send("s3", Method::PUT, path, &[], policy).await;
    assert!(response.expect("response").status.is_success());
}

async fn redrive_policy(deployed: &Deployed, queue_url: &str) -> Value {
    let input = json!({"QueueUrl": queue_url, "AttributeNames": ["RedrivePolicy"]});
    let response = deployed.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &input).await.expect("attributes");
    serde_json::from_str(response["Attributes"]["RedrivePolicy"].as_str().expect("policy")).expect("JSON")
}

async fn set_redrive_policy(deployed: &Deployed, queue_url: &str, policy: &Value) {
    let input = json!({"QueueUrl": queue_url, "Attributes": {"RedrivePolicy": policy.to_string()}});
    deployed.aws.json("sqs", "AmazonSQS.SetQueueAttributes", &input).await.expect("attributes set");
}
