//! A person gets a copy of everything that is stored about them.
//!
//! Functions: account-api, export-worker, push-fanout, inbox-api, device-api.

use std::{collections::BTreeMap, fs, process::Command};

use domain::media::{Kind, MediaId};
use http::Method;
use serde_json::{Value, json};
use stack::{tools::Tool, uploads::UploadFile};
use tempfile::TempDir;
use test_support::{
    photographs::photograph,
    queues::take_messages,
    wait::{TIMEOUT, wait_for, wait_until},
};
use uuid::Uuid;

use crate::{
    commits::edge,
    deployed::Deployed,
    push::scenario::{Person, PushScenario, follow, story},
};

/// Larger than the piece of an original that is read at once.
const LARGE: usize = 9 << 20;

/// Extracts a zip file with Python: names and content.
const UNZIP: &str = "\
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    archive.extractall(sys.argv[2])
    print('\\n'.join(archive.namelist()))
";

/// The entries of a zip file, by name.
fn unzip(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("export.zip");
    fs::write(&file, bytes).expect("written");
    let mut python = Tool::Emulator.command("python");
    let output = python.args(["-c", UNZIP]).arg(&file).arg(folder.path()).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Also as people do, where the tool is installed.
    if let Ok(tested) = Command::new("unzip").arg("-tqq").arg(&file).output() {
        assert!(tested.status.success(), "{tested:?}");
    }
    let names = String::from_utf8(output.stdout).expect("UTF-8");
    names.lines().map(|name| (name.to_owned(), fs::read(folder.path().join(name)).expect("a file"))).collect()
}

async fn wait_until_ready(deployed: &Deployed, person: &Person, id: &str) -> Value {
    let path = format!("/v1/me/exports/{id}");
    wait_for("the export", async || {
        let export = deployed.get(&person.user, &path).await;
        assert_eq!(export.status, 200, "{export:?}");
        assert!(matches!(export.body["state"].as_str(), Some("pending" | "ready")), "{export:?}");
        Some(export.body).filter(|export| export["state"] == "ready")
    })
    .await
}

async fn begin(deployed: &Deployed, person: &Person) -> String {
    let begun = deployed.request(&person.user, Method::POST, "/v1/me/exports", None).await;
    assert_eq!((begun.status, &begun.body["state"]), (202, &json!("pending")), "{begun:?}");
    begun.body["id"].as_str().expect("an id").to_owned()
}

/// Sends a message to the queue of exports.
async fn send(deployed: &Deployed, group: &str, body: &str) {
    let input = json!({
        "QueueUrl": deployed.output("ExportsQueueUrl"), "MessageBody": body, "MessageGroupId": group,
        "MessageDeduplicationId": Uuid::new_v4().to_string(),
    });
    deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("sent");
}

async fn row(deployed: &Deployed, owner: &str) -> Value {
    let input = json!({"TableName": deployed.output("ExportsTableName"), "Key": {"owner": {"S": owner}}, "ConsistentRead": true});
    deployed.aws.json("dynamodb", "DynamoDB_20120810.GetItem", &input).await.expect("a row")["Item"].clone()
}

/// Keys of finished and unfinished files below `zip/` and `work/` of a person.
async fn files(deployed: &Deployed, owner: &str) -> Vec<String> {
    let bucket = deployed.output("ExportsBucketName");
    let mut files = Vec::new();
    for folder in ["zip", "work"] {
        files.extend(deployed.aws.list_objects(bucket, &format!("{folder}/{owner}/")).await.expect("files"));
    }
    let listed =
        deployed.aws.send("s3", Method::GET, &format!("/{bucket}?uploads"), &[], Vec::new()).await.expect("uploads");
    let listed = String::from_utf8(listed.body).expect("XML");
    files.extend(
        listed
            .split("<Key>")
            .skip(1)
            .filter_map(|key| key.split("</Key>").next())
            .filter(|key| key.contains(owner))
            .map(str::to_owned),
    );
    files
}

fn ids(rows: &Value, name: &str) -> Vec<String> {
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| row[name].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one life of an export")]
async fn person_gets_a_copy_of_everything_and_others_do_not() {
    let push = PushScenario::start().await;
    let deployed = &push.deployed;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    let photo = UploadFile {
        kind: Kind::Photo,
        name: "고양이.jpg",
        content_type: "image/jpeg",
        bytes: photograph("고양이.jpg"),
        visibility: "followers",
        post: None,
    };
    let noise: Vec<u8> = (0..LARGE).map(|index| (index * 31 % 251) as u8).collect();
    let recording =
        UploadFile { kind: Kind::Audio, name: "밤.m4a", content_type: "audio/mp4", bytes: noise, ..photo.clone() };
    let avatar = UploadFile { kind: Kind::Avatar, name: "me.jpg", ..photo.clone() };
    let mut originals = BTreeMap::new();
    let mut media: Vec<String> = Vec::new();
    for file in [&photo, &recording, &avatar] {
        let (sent, _) = deployed.upload_and_process(&mina.user, file).await;
        originals.insert(format!("originals/{}/{}/{}", file.kind, sent.id, file.name), file.bytes.clone());
        media.push(sent.id.to_string());
    }
    let (of_jun, _) = deployed
        .upload_and_process(&jun.user, &UploadFile { name: "준.jpg", visibility: "public", ..photo.clone() })
        .await;
    push.commit(&follow(&mina, &jun)).await;
    push.commit(&follow(&jun, &mina)).await;
    push.wait_until_consumed().await;
    push.commit(&edge("mutes", &mina.user.id, &jun.user.id)).await;
    push.wait_until_consumed().await;
    let title = format!("첫눈 {}", Uuid::new_v4().simple());
    let (_, publish) = story(&mina, &title);
    push.commit(&publish).await;
    push.wait_until_consumed().await;
    deployed.wait_until_consumed("SearchQueueUrl").await;
    push.request(&mina, Method::PUT, "/v1/notification-preferences", Some(&json!({"muted": ["mentions"]}))).await;
    push.request(&mina, Method::PUT, "/v1/notifications/read", Some(&json!({"through": "2020-01-01T00:00:00Z"}))).await;
    let report = json!({"mediaId": of_jun.id, "reason": "other", "text": "a report of mina"});
    wait_until("the report", async || deployed.post(&mina.user, "/v1/reports", &report).await.status == 201).await;

    let unknown = format!("/v1/me/exports/{}", Uuid::new_v4().simple());
    assert_eq!(deployed.get(&mina.user, &unknown).await.problem(), (404, "urn:iyagi:problem:not-found"));
    let id = begin(deployed, &mina).await;
    let path = format!("/v1/me/exports/{id}");
    assert_eq!(deployed.get(&jun.user, &path).await.problem(), (404, "urn:iyagi:problem:not-found"));
    let export = wait_until_ready(deployed, &mina, &id).await;
    assert_eq!(deployed.get(&jun.user, &path).await.status, 404, "a ready one is shown to others");

    // The file, by its link, without a token.
    let url = export["url"].as_str().expect("a link");
    let response = reqwest::get(url).await.expect("response");
    assert_eq!(response.status().as_u16(), 200);
    for (name, value) in [
        ("content-type", "application/zip"),
        ("content-disposition", "attachment; filename=\"iyagi.zip\""),
        ("cache-control", "private, no-store"),
    ] {
        assert_eq!(response.headers().get(name).and_then(|value| value.to_str().ok()), Some(value), "{name}");
    }
    let bytes = response.bytes().await.expect("a file").to_vec();
    assert_eq!((&export["bytes"], &export["files"]), (&json!(bytes.len()), &json!(originals.len())));
    let unsigned = url.split('?').next().expect("a URL");
    assert!(
        matches!(reqwest::get(unsigned).await.expect("response").status().as_u16(), 400 | 401 | 403),
        "without a signature"
    );
    let mut entries = unzip(&bytes);
    let document = String::from_utf8(entries.remove("data.json").expect("a document")).expect("UTF-8");
    assert!(entries == originals, "{:?} {:?}", entries.keys(), originals.keys());

    // Everything that is stored, and no secrets.
    for secret in [mina.token.as_str(), jun.token.as_str(), "endpoint/GCM"] {
        assert!(!document.contains(secret), "{secret}");
    }
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["account"]["id"], mina.user.id.as_str());
    assert_eq!(document["account"]["profile"]["attributes"]["sub"], mina.user.id.as_str());
    media.sort();
    let mut listed = ids(&document["media"], "id");
    listed.sort();
    assert_eq!(listed, media);
    assert_eq!(ids(&document["reports"], "text"), ["a report of mina"]);
    assert_eq!(ids(&document["devices"], "item"), ["device#phone", "preferences"]);
    assert!(ids(&document["budgets"], "item").iter().any(|item| item.starts_with("day#")), "{}", document["budgets"]);
    assert_eq!(ids(&document["inboxRead"], "user"), [mina.user.id.as_str()]);
    assert!(document["inbox"].to_string().contains("follow"), "{}", document["inbox"]);
    assert!(document["graph"].to_string().contains("미나"), "{}", document["graph"]);
    assert_eq!(ids(&document["followers"], "sk"), [jun.user.id.as_str()]);
    assert_eq!(ids(&document["following"], "sk"), [jun.user.id.as_str()]);
    assert_eq!(document["relations"].as_array().map(Vec::len), Some(1), "{}", document["relations"]);
    assert!(ids(&document["notifications"], "id").iter().all(|id| id.ends_with(&mina.user.id)));
    assert!(!document["notifications"].as_array().expect("a list").is_empty());
    assert!(document["search"].to_string().contains(&title), "{}", document["search"]);

    // One notification, on the phone and in the inbox.
    let is_export = |shown: &mobile_push::Notification| shown.data["rule"] == "export-ready";
    let shown = push.phones.wait_for_one(0, TIMEOUT, |shown| shown.token == mina.token && is_export(shown)).await;
    assert_eq!(shown.expect("a notification").data["source"], id.as_str());
    let inbox = deployed.get(&mina.user, "/v1/notifications").await;
    let in_inbox: Vec<_> = inbox.items().iter().filter(|item| item["rule"] == "export-ready").collect();
    assert_eq!(in_inbox.len(), 1, "{inbox:?}");
    assert_eq!((&in_inbox[0]["actors"], &in_inbox[0]["source"]), (&json!([]), &json!(id)));

    // Replayed messages do nothing twice.
    let before = row(deployed, &mina.user.id).await;
    let job = json!({"type": "app.iyagi.account.export", "user": mina.user.id, "username": "x", "id": id, "turn": 0});
    for _ in 0..2 {
        send(deployed, &id, &job.to_string()).await;
    }
    wait_until("the replay", async || deployed.is_queue_empty("ExportsQueueUrl").await).await;
    push.wait_until_consumed().await;
    assert_eq!(row(deployed, &mina.user.id).await, before);
    assert_eq!(push.shown(&mina).await.iter().filter(|shown| is_export(shown)).count(), 1);

    // A second one replaces the first; there is no third on this day, by the default of `ExportsPerDay`.
    let second = begin(deployed, &mina).await;
    assert_ne!(second, id);
    assert_eq!(deployed.get(&mina.user, &path).await.status, 404);
    wait_until_ready(deployed, &mina, &second).await;
    let refused = deployed.request(&mina.user, Method::POST, "/v1/me/exports", None).await;
    assert_eq!(refused.problem(), (429, "urn:iyagi:problem:too-many-requests"));
    assert!(refused.retry_after.is_some_and(|seconds| (1..=86_400).contains(&seconds)), "{refused:?}");

    // A message that is no export is dead-lettered.
    let poison = format!("no export {}", Uuid::new_v4());
    send(deployed, "poison", &poison).await;
    wait_until("the dead letter", async || {
        !take_messages(&deployed.aws, deployed.output("ExportsDeadLettersUrl"), |body| body == poison).await.is_empty()
    })
    .await;

    // The erasure removes all, also what was not finished.
    let bucket = deployed.output("ExportsBucketName");
    let unfinished = format!("/{bucket}/zip/{}/unfinished.zip?uploads", mina.user.id);
    let started = deployed.aws.send("s3", Method::POST, &unfinished, &[], Vec::new()).await.expect("an upload");
    assert!(started.status.is_success());
    let work = format!("work/{}/o/rest-1", mina.user.id);
    deployed.aws.put_object(bucket, &work, "application/octet-stream", vec![1]).await.expect("stored");
    assert!(files(deployed, &mina.user.id).await.len() >= 4);
    assert_eq!(deployed.delete(&mina.user, "/v1/me").await.status, 202);
    let refused = deployed.request(&mina.user, Method::POST, "/v1/me/exports", None).await;
    assert!(matches!(refused.status, 401 | 403 | 409), "{refused:?}");
    wait_until("the erasure", async || deployed.get(&mina.user, "/v1/me/erasure").await.body["state"] == "finished")
        .await;
    assert_eq!(files(deployed, &mina.user.id).await, Vec::<String>::new());
    assert_eq!(row(deployed, &mina.user.id).await, Value::Null);
    assert_ne!(reqwest::get(url).await.expect("response").status().as_u16(), 200, "the link still works");
    // A late message brings nothing back.
    send(
        deployed,
        &second,
        &json!({"type": "app.iyagi.account.export", "user": mina.user.id, "username": "x", "id": second}).to_string(),
    )
    .await;
    wait_until("the late message", async || deployed.is_queue_empty("ExportsQueueUrl").await).await;
    assert_eq!(files(deployed, &mina.user.id).await, Vec::<String>::new());
    let id: MediaId = of_jun.id;
    assert_eq!(deployed.get(&jun.user, &format!("/v1/media/{id}")).await.status, 200);
}
