//! What cannot be processed now: tried again soon, then to the dead-letter queue, and from there, when
//! the fault is mended, to what is shown and heard. Apart from the other end-to-end tests, because it
//! makes the queues impatient.

mod support;

use std::time::{Duration, Instant};

use domain::media::MediaId;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use support::{Deployed, eventually, photograph, recordings::voice, send_message, take_messages};

/// An original that a queue's function cannot work off now.
struct Unlucky {
    queue: &'static str,
    key: &'static str,
    content_type: &'static str,
    bytes: Vec<u8>,
}

#[tokio::test]
async fn what_fails_is_tried_again_soon_and_not_lost() {
    let deployed = Deployed::get();
    let all = [
        Unlucky {
            queue: "Thumbnail",
            key: "photo/unlucky/a.jpg",
            content_type: "image/jpeg",
            bytes: photograph("고양이.jpg"),
        },
        Unlucky { queue: "Audio", key: "audio/unlucky/a.wav", content_type: "audio/wav", bytes: voice(1.0) },
    ];
    // The fault: these items' files cannot be stored.
    let derived = deployed.output("DerivedBucketName");
    let path = format!("/{derived}?policy");
    let resources = all.each_ref().map(|one| format!("arn:aws:s3:::{derived}/{}/*", MediaId::of_key(one.key)));
    let fault = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": resources
    }]});
    let before = deployed.aws.send("s3", Method::GET, &path, &[], Vec::new()).await.expect("an answer");
    assert!(before.status.is_success(), "{}", before.status);
    put_policy(&deployed, &path, fault.to_string().into_bytes()).await;
    let dead = join_all(all.map(|one| buried(&deployed, one))).await;
    put_policy(&deployed, &path, before.body).await;
    for (id, queue, letter) in dead {
        send_message(&deployed.aws, &queue, &letter).await;
        assert_eq!(deployed.outcome(id).await["state"], "ready");
    }
}

/// Has it tried twice; its item, its queue and its dead letter.
async fn buried(
    deployed: &Deployed,
    Unlucky { queue, key, content_type, bytes }: Unlucky,
) -> (MediaId, String, String) {
    let url = deployed.output(&format!("{queue}QueueUrl"));
    // Five tries would take 22 minutes.
    let patient = redrive_policy(deployed, url).await;
    let mut impatient = patient.clone();
    impatient["maxReceiveCount"] = json!(2);
    set(deployed, url, &impatient).await;
    let start = Instant::now();
    let id = deployed.upload(key, content_type, bytes).await;
    let dead_letters = deployed.output(&format!("{queue}DeadLettersUrl"));
    let letter = eventually("the dead letter", async || {
        take_messages(&deployed.aws, dead_letters, |body| body.contains("unlucky")).await.pop()
    })
    .await;
    set(deployed, url, &patient).await;
    // It came again after 5 s, and then after 30 s: not with the visibility timeouts, which are minutes.
    assert!(start.elapsed() > Duration::from_secs(30), "{queue}: {:?}", start.elapsed());
    let item = deployed.item(id).await.expect("an item");
    assert_eq!(item["state"], "processing", "a passing fault is no failure of the original");
    (id, url.to_owned(), letter)
}

async fn put_policy(deployed: &Deployed, path: &str, policy: Vec<u8>) {
    let answer = deployed.aws.send("s3", Method::PUT, path, &[], policy).await;
    assert!(answer.expect("an answer").status.is_success());
}

async fn redrive_policy(deployed: &Deployed, queue: &str) -> Value {
    let input = json!({"QueueUrl": queue, "AttributeNames": ["RedrivePolicy"]});
    let answer = deployed.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &input).await.expect("attributes");
    serde_json::from_str(answer["Attributes"]["RedrivePolicy"].as_str().expect("a policy")).expect("JSON")
}

async fn set(deployed: &Deployed, queue: &str, policy: &Value) {
    let input = json!({"QueueUrl": queue, "Attributes": {"RedrivePolicy": policy.to_string()}});
    deployed.aws.json("sqs", "AmazonSQS.SetQueueAttributes", &input).await.expect("set");
}
