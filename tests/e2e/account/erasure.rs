//! An account is erased, and nothing of it is found anywhere, while another user's things stay.
//!
//! Functions: account-api, export-worker, device-api, push-fanout, search-indexer, thumbnailer, metadata-writer.

use domain::media::Kind;
use http::Method;
use neptune::Commit;
use serde_json::{Value, json};
use stack::{
    traces::{self, Person as Traced},
    uploads::UploadFile,
    users::Users,
};
use test_support::{photographs::photograph, queues::take_messages, wait::wait_until};
use uuid::Uuid;

use crate::{
    commits::{author_edge_id, edge, edge_id},
    deployed::Deployed,
    push::scenario::{Person, PushScenario, follow, story},
};

const PASSWORD: &str = "correct horse 7 Battery!";

/// Everything that is stored about a person.
async fn traces(deployed: &Deployed, of: &Traced) -> Vec<String> {
    let found = traces::stored(&deployed.stack, of).await.expect("tables and buckets");
    found.iter().map(ToString::to_string).collect()
}

/// Lines of the logs about a person.
async fn logged(deployed: &Deployed, of: &Traced) -> Vec<String> {
    let found = traces::logged(&deployed.stack, of, 0).await.expect("logs");
    found.iter().map(ToString::to_string).collect()
}

/// A queue that receives the `erase` events.
async fn subscribe(deployed: &Deployed) -> String {
    let topic = deployed.output("AccountEventsArn");
    let name = format!("graph-owner-{}", Uuid::new_v4().simple());
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"
    }]});
    let input = json!({"QueueName": name, "Attributes": {"Policy": policy.to_string()}});
    let created = deployed.aws.json("sqs", "AmazonSQS.CreateQueue", &input).await.expect("queue");
    let url = created["QueueUrl"].as_str().expect("URL").to_owned();
    let input = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
    let attributes = deployed.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &input).await.expect("ARN");
    let arn = attributes["Attributes"]["QueueArn"].as_str().expect("ARN");
    let subscribe = [
        ("Action", "Subscribe"),
        ("TopicArn", topic),
        ("Protocol", "sqs"),
        ("Endpoint", arn),
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "true"),
    ];
    deployed.aws.query("sns", &subscribe).await.expect("subscribed");
    url
}

/// A user with an address to sign in again with, a vertex and a phone.
async fn sign_up(push: &PushScenario, name: &str, email: &str) -> Person {
    let users = Users::from_stack(&push.deployed.stack).expect("user pool");
    let user = users.sign_up_as(name, email, PASSWORD).await.expect("user");
    let person = Person { user, token: format!("test-{}", Uuid::new_v4()) };
    push.register_device(&person, &person.token, "ko").await;
    push.commit(&crate::commits::add_person(Commit::new(), &person.user)).await;
    person
}

fn file(name: &str) -> UploadFile<'_> {
    UploadFile {
        kind: Kind::Photo,
        name,
        content_type: "image/jpeg",
        bytes: photograph("고양이.jpg"),
        visibility: "followers",
        post: None,
    }
}

#[tokio::test]
async fn erased_account_leaves_no_trace_and_others_keep_theirs() {
    let push = PushScenario::start().await;
    let deployed = &push.deployed;
    let unique = |text: &str| format!("{text}{}", Uuid::new_v4().simple());
    let (name, file_name, title) = (unique("Mina"), unique("cat"), unique("Snow"));
    let email = format!("{}@iyagi.example", Uuid::new_v4().simple());
    let mina = sign_up(&push, &name, &email).await;
    let jun = push.sign_up("준", "ko").await;
    let (uploaded, item) = deployed.upload_and_process(&mina.user, &file(&file_name)).await;
    let (kept, _) = deployed.upload_and_process(&jun.user, &file("kept")).await;
    let url = item["variants"][0]["url"].as_str().expect("URL").to_owned();
    let recording =
        UploadFile { kind: Kind::Audio, content_type: "audio/mp4", bytes: vec![1; 100], ..file(&file_name) };
    let avatar = UploadFile { kind: Kind::Avatar, ..file(&file_name) };
    for other in [&recording, &avatar] {
        deployed.upload_and_process(&mina.user, other).await;
    }
    // Uploads that are never finished.
    for started in [&recording, &avatar, &file(&file_name)] {
        let mut unfinished = started.request_body();
        unfinished["inParts"] = true.into();
        push.request(&mina, Method::POST, "/v1/uploads", Some(&unfinished)).await;
    }

    push.commit(&follow(&jun, &mina)).await;
    push.commit(&follow(&mina, &jun)).await;
    push.wait_until_consumed().await;
    let (hers, publish_hers) = story(&mina, &title);
    let (his, publish_his) = story(&jun, "새벽 버스");
    push.commit(&publish_hers).await;
    push.commit(&publish_his).await;
    push.commit(&edge("likes", &mina.user.id, &his)).await;
    push.commit(&edge("likes", &jun.user.id, &hers)).await;
    push.wait_until_consumed().await;
    let preferences = json!({"muted": ["mentions"]});
    push.request(&mina, Method::PUT, "/v1/notification-preferences", Some(&preferences)).await;
    let read = json!({"through": "2999-01-01T00:00:00Z"});
    push.request(&mina, Method::PUT, "/v1/notifications/read", Some(&read)).await;
    // Reports by her and about her item.
    let report = unique("report");
    for (reporter, reported) in [(&mina, kept.id), (&jun, uploaded.id)] {
        let body = json!({"mediaId": reported, "reason": "other", "text": report});
        wait_until("the report", async || deployed.post(&reporter.user, "/v1/reports", &body).await.status == 201)
            .await;
    }
    let export = deployed.request(&mina.user, Method::POST, "/v1/me/exports", None).await;
    let export = format!("/v1/me/exports/{}", export.body["id"].as_str().expect("an id"));
    wait_until("the export", async || deployed.get(&mina.user, &export).await.body["state"] == "ready").await;
    let texts = vec![name, file_name, title, report, mina.token.clone(), email.clone()];
    let of = Traced { id: mina.user.id.clone(), texts };
    assert!(traces(deployed, &of).await.len() > 8, "there is nothing to erase");

    let events = subscribe(deployed).await;
    let path = "/v1/me/erasure";
    assert_eq!(deployed.get(&mina.user, path).await.problem(), (404, "urn:iyagi:problem:not-found"));
    let begun = deployed.delete(&mina.user, "/v1/me").await;
    assert_eq!((begun.status, &begun.body["state"]), (202, &json!("running")), "{begun:?}");
    wait_until("the erasure", async || deployed.get(&mina.user, path).await.body["state"] == "finished").await;
    assert_eq!(deployed.get(&jun.user, path).await.status, 404);

    // The owner of the graph removes what the event names.
    let mut event = Vec::new();
    wait_until("the event", async || {
        event.extend(take_messages(&deployed.aws, &events, |body| body.contains(&mina.user.id)).await);
        !event.is_empty()
    })
    .await;
    let event: Value = serde_json::from_str(&event[0]).expect("JSON");
    assert_eq!((&event["type"], &event["subject"]), (&json!("app.iyagi.account.erase"), &json!(mina.user.id)));
    let removal = Commit::new()
        .remove_edge(edge_id("follows", &jun.user.id, &mina.user.id))
        .remove_edge(edge_id("follows", &mina.user.id, &jun.user.id))
        .remove_edge(edge_id("likes", &mina.user.id, &his))
        .remove_edge(edge_id("likes", &jun.user.id, &hers))
        .remove_edge(author_edge_id(&hers))
        .remove_vertex(&hers)
        .remove_vertex(&mina.user.id);
    push.commit(&removal).await;
    push.wait_until_consumed().await;
    deployed.wait_until_consumed("SearchQueueUrl").await;
    deployed.wait_until_no_derived_files(uploaded.id).await;
    let is_hers = |row: &Value| row["key"]["S"].as_str().is_some_and(|key| key.contains(&mina.user.id));
    wait_until("the items to be deleted", async || {
        traces::rows(&deployed.stack)
            .await
            .expect("rows")
            .iter()
            .all(|(_, row)| !is_hers(row) || row["state"]["S"] == "deleted")
    })
    .await;
    // Also after every change was delivered again.
    for _ in 0..2 {
        assert_eq!(traces(deployed, &of).await, Vec::<String>::new());
        deployed.replay_stream().await;
        push.wait_until_consumed().await;
        deployed.wait_until_consumed("SearchQueueUrl").await;
    }
    assert_ne!(deployed.fetch(&url).await.0, 200, "a file is still delivered");
    let endpoints = push.phones.endpoints().await.expect("endpoints");
    assert!(endpoints.iter().all(|endpoint| endpoint.token != mina.token));
    let query = format!("/v1/search?q={}", of.texts[0]);
    wait_until("the index to have nothing of her", async || {
        let found = deployed.get(&jun.user, &query).await;
        found
            .items()
            .iter()
            .all(|item| item["id"] != of.id.as_str() && of.texts.iter().all(|text| !item.to_string().contains(text)))
    })
    .await;
    assert_eq!(logged(deployed, &of).await, Vec::<String>::new());
    for queue in [
        "ErasureDeadLettersUrl",
        "PushDeadLettersUrl",
        "PushEventsDeadLettersUrl",
        "ErasureQueueUrl",
        "ExportsQueueUrl",
    ] {
        let left = take_messages(&deployed.aws, deployed.output(queue), |body| body.contains(&mina.user.id)).await;
        assert_eq!(left, Vec::<String>::new(), "{queue}");
    }

    // A message that is no erasure is dead-lettered.
    let poison = format!("no erasure {}", Uuid::new_v4());
    let input = json!({"QueueUrl": deployed.output("ErasureQueueUrl"), "MessageBody": poison});
    deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("sent");
    wait_until("the dead letter", async || {
        let queue = deployed.output("ErasureDeadLettersUrl");
        !take_messages(&deployed.aws, queue, |body| body == poison).await.is_empty()
    })
    .await;

    // The account is gone, and its token stores nothing any more.
    let users = Users::from_stack(&deployed.stack).expect("user pool");
    assert!(users.sign_in(&email, PASSWORD).await.is_err());
    let device = json!({"token": "another", "platform": "android"});
    let refused = deployed.request(&mina.user, Method::PUT, "/v1/devices/phone", Some(&device)).await;
    assert!(matches!(refused.status, 401 | 403), "{refused:?}");

    assert_eq!(deployed.get(&jun.user, &format!("/v1/media/{}", kept.id)).await.status, 200);
    let devices = deployed.get(&jun.user, "/v1/devices").await;
    assert_eq!(devices.items().len(), 1, "{devices:?}");
    let shown = push.commit_and_wait(&jun, &follow(&push.sign_up("소라", "ko").await, &jun)).await;
    assert_eq!(shown.data["rule"], "follow");
}
