//! The operator's tool, at the deployed stack.

mod support;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use clap::Parser;
use domain::media::MediaId;
use local::{emulator, neptune::Commit};
use ops::{Arguments, Session};
use serde_json::{Value, json};
use support::{Deployed, eventually, photograph, s3_notification, send_message, take_messages};
use uuid::Uuid;

/// The stack's name: as `samconfig.toml` has it.
const STACK: &str = "iyagi";

/// Runs `cargo xtask ops …` and gives its answer as JSON.
async fn ops(deployed: &Deployed, arguments: &[&str]) -> Value {
    let arguments = [&["ops"], arguments].concat();
    let command = Arguments::try_parse_from(arguments).expect("a command").command;
    let keys = Credentials::from_keys(emulator::ACCESS_KEY, emulator::SECRET_KEY, None);
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(emulator::REGION))
        .endpoint_url(deployed.stack.emulator.endpoint())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(ops::tls::http_client())
        .build();
    let session = Session::of(config, STACK).await.expect("a stack");
    let report = ops::run(&session, &command).await.expect("a report");
    println!("{report}");
    serde_json::to_value(report).expect("JSON")
}

/// A dead letter, as functions write them.
async fn bury(deployed: &Deployed, queue: &str, body: &str, failure: &str, group: Option<&str>) {
    let failure = json!({"failure": {"DataType": "String", "StringValue": failure}});
    let mut input = json!({"QueueUrl": deployed.output(queue), "MessageBody": body, "MessageAttributes": failure});
    if let Some(group) = group {
        input["MessageGroupId"] = group.into();
        input["MessageDeduplicationId"] = Uuid::new_v4().to_string().into();
    }
    deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("sent");
}

/// Other tests leave dead letters behind.
async fn empty(deployed: &Deployed, queue: &str) {
    while !take_messages(&deployed.aws, deployed.output(queue), |_| true).await.is_empty() {}
}

fn letters(looked: &Value) -> &[Value] {
    looked["letters"].as_array().expect("letters")
}

#[tokio::test]
async fn a_dead_letter_is_seen_sent_back_and_done() {
    let deployed = Deployed::get();
    // Here and not beside this test: whoever looks hides letters from others for a moment.
    is_seen_with_its_reason(&deployed, "thumbnail", "ThumbnailQueueUrl", "ThumbnailDeadLettersUrl").await;
    let key = format!("photo/{}/고양이.jpg", Uuid::new_v4());
    let (bytes, bucket) = (photograph("고양이.jpg"), deployed.output("OriginalsBucketName"));
    let id = deployed.upload(&key, "image/jpeg", bytes.clone()).await;
    deployed.outcome(id).await;
    for variant in deployed.variants(id).await {
        deployed.aws.delete_object(deployed.output("DerivedBucketName"), &variant).await.expect("deleted");
    }
    let etag = deployed.aws.etag(bucket, &key).await.expect("an ETag");
    let body = s3_notification("ObjectCreated:Put", &key, "00000000000000FF", bytes.len(), &etag);
    let failure = "could not store a file that was made: invalid type: string \"미나\"";
    bury(&deployed, "ThumbnailDeadLettersUrl", &body, failure, None).await;

    for received in 1..=2 {
        let looked = ops(&deployed, &["queue", "look", "thumbnail"]).await;
        let letter = letters(&looked).iter().find(|letter| letter["kind"] == format!("S3 event: media {id} landed"));
        let letter = letter.unwrap_or_else(|| panic!("it is not there: {looked}"));
        assert_eq!(letter["failure"], "could not store a file that was made: invalid type: string …");
        assert_eq!(letter["received"], received, "whoever looks leaves it there, at once: {looked}");
        assert!(!looked.to_string().contains("고양이") && !looked.to_string().contains("미나"), "{looked}");
    }

    let counted = ops(&deployed, &["queue", "redrive", "thumbnail"]).await;
    assert_eq!((&counted["applied"], counted["messages"].as_u64() >= Some(1)), (&json!(false), true), "{counted}");
    assert!(deployed.variants(id).await.is_empty(), "a dry run sends nothing");
    let redriven = ops(&deployed, &["queue", "redrive", "thumbnail", "--apply"]).await;
    assert!(redriven["messages"].as_u64() >= Some(1), "{redriven}");
    eventually("the variants", async || (!deployed.variants(id).await.is_empty()).then_some(())).await;
    let looked = ops(&deployed, &["queue", "look", "thumbnail"]).await;
    assert!(!looked.to_string().contains(&id.to_string()), "it is not here any more: {looked}");
}

#[tokio::test]
async fn what_a_function_cannot_read_is_seen_with_its_reason() {
    let deployed = Deployed::get();
    is_seen_with_its_reason(&deployed, "audio", "AudioQueueUrl", "AudioDeadLettersUrl").await;
    is_seen_with_its_reason(&deployed, "metadata", "MetadataQueueUrl", "MetadataDeadLettersUrl").await;
}

async fn is_seen_with_its_reason(deployed: &Deployed, name: &str, queue: &str, dead_letters: &str) {
    let body = format!("\"미나\" {}", Uuid::new_v4());
    send_message(&deployed.aws, deployed.output(queue), &body).await;
    let kind = format!("unreadable, {} bytes", body.len());
    eventually("the letter", async || {
        let looked = ops(deployed, &["queue", "look", name]).await;
        let letter = letters(&looked).iter().find(|letter| letter["kind"] == kind)?;
        let failure = letter["failure"].as_str().expect("a reason");
        assert!(failure.starts_with("could not read the message: ") && !failure.contains("미나"), "{letter}");
        Some(())
    })
    .await;
    eventually("the letter itself", async || {
        take_messages(&deployed.aws, deployed.output(dead_letters), |dead| dead == body).await.pop()
    })
    .await;
}

#[tokio::test]
async fn letters_of_a_fifo_queue_go_back_in_order_and_poison_comes_back() {
    let deployed = Deployed::get();
    empty(&deployed, "SearchDeadLettersUrl").await;
    let group = format!("vertex/{}", Uuid::new_v4());
    for number in 0..12 {
        let body = format!("poison {number} of {group}");
        bury(&deployed, "SearchDeadLettersUrl", &body, "could not read the message", Some(&group)).await;
    }
    let looked = ops(&deployed, &["queue", "look", "search"]).await;
    assert!(letters(&looked).len() >= 10, "as many as SQS gives of a group: {looked}");
    let redriven = ops(&deployed, &["queue", "redrive", "search", "--apply"]).await;
    assert!(redriven["messages"].as_u64() >= Some(12), "{redriven}");
    // search-indexer cannot read them, and buries them again, each once.
    eventually("all of the poison again", async || {
        let looked = ops(&deployed, &["queue", "look", "search"]).await;
        let known = letters(&looked).iter().filter(|letter| letter["kind"].as_str().is_some_and(is_unreadable));
        (looked["messages"].as_u64() == Some(12) && known.count() >= 10).then_some(())
    })
    .await;
    let bodies = support::messages(&deployed.aws, deployed.output("SearchDeadLettersUrl"), 12).await;
    let expected: Vec<_> = (0..12).map(|number| format!("poison {number} of {group}")).collect();
    assert_eq!(bodies, expected);
}

fn is_unreadable(kind: &str) -> bool {
    kind.starts_with("unreadable, ")
}

#[tokio::test]
async fn what_the_bus_refused_goes_to_the_bus_if_it_fits() {
    let deployed = Deployed::get();
    let id = format!("story-{}", Uuid::new_v4());
    empty(&deployed, "GraphChangesDeadLettersUrl").await;
    let stub = json!({"id": "local/1/1", "type": "app.iyagi.graph.vertex.added", "bytes": 300_000}).to_string();
    bury(&deployed, "GraphChangesDeadLettersUrl", &stub, "too large", Some(&id)).await;
    let redriven = ops(&deployed, &["queue", "redrive", "graph-changes", "--apply"]).await;
    assert_eq!((&redriven["messages"], &redriven["unfit"]), (&json!(0), &json!(1)), "{redriven}");
    let looked = ops(&deployed, &["queue", "look", "graph-changes"]).await;
    assert_eq!(letters(&looked)[0]["kind"], "a change that fits no message");
    support::messages(&deployed.aws, deployed.output("GraphChangesDeadLettersUrl"), 1).await;
}

#[tokio::test]
async fn variants_that_are_gone_come_back_and_can_be_made_anew() {
    let deployed = Deployed::get();
    let owner = Uuid::new_v4().to_string();
    let key = format!("photo/{owner}/고양이.jpg");
    let id = deployed.upload(&key, "image/jpeg", photograph("고양이.jpg")).await;
    let before = deployed.outcome(id).await;
    let variants = deployed.variants(id).await;
    let lost = variants.first().expect("a variant");
    deployed.aws.delete_object(deployed.output("DerivedBucketName"), lost).await.expect("deleted");

    let id_text = id.to_string();
    let counted = ops(&deployed, &["media", "reprocess", "--id", &id_text]).await;
    assert_eq!((&counted["applied"], &counted["pictures"]), (&json!(false), &json!(1)), "{counted}");
    let ordered = ops(&deployed, &["media", "reprocess", "--id", &id_text, "--apply"]).await;
    assert_eq!((&ordered["applied"], &ordered["pictures"]), (&json!(true), &json!(1)), "{ordered}");
    eventually("the variant", async || (deployed.variants(id).await == variants).then_some(())).await;
    assert_eq!(deployed.item(id).await.expect("an item"), before, "nothing has changed");

    // Anew: other addresses, the same place in lists, and never `processing` on the way.
    let prefix = format!("photo/{owner}/");
    let ordered = ops(&deployed, &["media", "reprocess", "--prefix", &prefix, "--anew", "--apply"]).await;
    assert_eq!(ordered["pictures"], 1, "{ordered}");
    let after = eventually("other variants", async || {
        let item = deployed.item(id).await.expect("an item");
        assert_eq!(item["state"], "ready");
        (item["variants"][0]["url"] != before["variants"][0]["url"]).then_some(item)
    })
    .await;
    assert_eq!(after["createdAt"], before["createdAt"]);
    let now = deployed.variants(id).await;
    assert!(now.len() == variants.len() && now.iter().all(|key| !variants.contains(key)), "{now:?}");

    // A deletion wins over all of that, and over what is ordered after it.
    deployed.delete(&key).await;
    eventually("the deletion", async || deployed.item(id).await.is_none().then_some(())).await;
    eventually("the sweep", async || deployed.variants(id).await.is_empty().then_some(())).await;
    let ordered = ops(&deployed, &["media", "reprocess", "--id", &id_text, "--anew", "--apply"]).await;
    assert_eq!((&ordered["pictures"], &ordered["deleted"]), (&json!(0), &json!(1)), "{ordered}");
    let unknown = MediaId::of_key(&format!("photo/{owner}/never")).to_string();
    let ordered = ops(&deployed, &["media", "reprocess", "--id", &unknown, "--apply"]).await;
    assert_eq!(ordered["unknown"], 1, "{ordered}");
}

#[tokio::test]
async fn the_stream_is_seen_counted_and_replayed() {
    let deployed = Deployed::get();
    let id = format!("person-{}", Uuid::new_v4());
    let commit = Commit::new().add_vertex(&id, ["person"]).set(&id, "name", "미나");
    let commit = deployed.stack.neptune().commit(&commit).await.expect("a commit").commit_num.expect("a number");
    let status = eventually("the poller to be through", async || {
        let status = ops(&deployed, &["stream", "status"]).await;
        let position = status["position"].as_str().and_then(|text| text.split_once('/'))?;
        (position.0.parse::<u64>().ok()? >= commit).then_some(status)
    })
    .await;
    let lease = &status["lease"];
    assert!(lease["owner"].is_string() && lease["age"].is_u64() && lease["expiresIn"].is_u64(), "{status}");
    assert_eq!(status["silence"], Value::Null, "{status}");
    let unread = &status["unread"];
    let days = unread["oldestExpiresIn"].as_u64().map(|seconds| Duration::from_secs(seconds).as_secs() / 86_400);
    assert_eq!(days, Some(6), "the stream is new: {status}");
    assert!(unread["head"].is_string() && unread["lagCommits"].is_u64(), "{status}");

    let range = ["stream", "replay", "--from", &commit.to_string(), "--to", &commit.to_string()].map(str::to_owned);
    let range: Vec<&str> = range.iter().map(String::as_str).collect();
    let counted = ops(&deployed, &range).await;
    assert_eq!((&counted["applied"], &counted["changes"]), (&json!(false), &json!(1)), "{counted}");
    let replayed = ops(&deployed, &[&range[..], &["--apply"]].concat()).await;
    assert_eq!((&replayed["applied"], &replayed["changes"]), (&json!(true), &json!(1)), "{replayed}");
    assert_eq!(replayed["position"], counted["position"]);
}
