//! The functions of push: the platform application is created, a device registers and is notified of a follow.

use aws_client::{AwsClient, REGION};
use axum::{Router, routing::put};
use domain::push::Platform;
use jiff::Timestamp;
use lambda_runtime_api::{Function, Outcome, RecursiveLoop, TracedQueue, invocation_trace, invocations_before};
use mobile_push::{MobilePushEmulator, Options, Profile};
use serde_json::{Value, json};
use stack::push_credentials;
use test_support::{
    queues::{create_fifo_queue, create_queue, receive_messages},
    wait::TIMEOUT,
};
use tokio::{net::TcpListener, sync::mpsc};

use crate::{
    emulated_aws::{EmulatedAws, SEALING_SECRET},
    events::{event, without_caller},
    responses::{consume, invoke, problem, request},
};

const TOKEN: &str = "contract-token";

#[tokio::test]
async fn registered_device_is_notified_once_of_new_follower() {
    let push = PushEnvironment::start("push").await;

    let (mut create, mut responses) = platform_application(&push).await;
    let mut resource = push.start_function("PlatformApplicationMaker").await;
    // CloudFormation may send a request twice.
    for _ in 0..2 {
        invoke(&mut resource, &create).await;
        let response = responses.recv().await.expect("response to CloudFormation");
        assert_eq!(response["Status"], "SUCCESS", "{response}");
        assert_eq!(response["PhysicalResourceId"], push.application(), "{response}");
    }
    create["ResourceProperties"]["CredentialsSecretArn"] = "nowhere".into();
    invoke(&mut resource, &create).await;
    let response = responses.recv().await.expect("response to CloudFormation");
    assert_eq!(response["Status"], "FAILED", "{response}");

    let mut devices = push.start_function("DeviceApi").await;
    let put = event("put-device");
    let (status, device) = request(&mut devices, &put).await;
    assert_eq!((status, &device["id"]), (200, &json!("phone")));
    let refusal = problem(&mut devices, &without_caller(put)).await;
    assert_eq!(refusal, (401, json!("urn:iyagi:problem:unauthorized")));

    let profile = Profile { name: "미나".into(), language: "ko".into(), platform: Platform::Android };
    push.phones.client().register_phone(TOKEN, &profile).await.expect("phone");
    let mut fanout = push.start_function("PushFanout").await;
    let changes = committed_now(event("graph-changes"));
    for _ in 0..2 {
        consume(&mut fanout, &changes).await;
    }
    let shown = push.phones.client().wait_for_count(0, TIMEOUT, 1).await.expect("notification");
    assert_eq!(shown.len(), 1, "a second delivery sends nothing");
    assert_eq!(shown[0].notice.body, "누군가 회원님을 팔로우하기 시작했어요.");
    // The queue removes the duplicate within five minutes.
    let dead_letters = receive_messages(&push.aws, &push.dead_letter_queue, 1).await;
    assert_eq!(dead_letters, ["this is not a change"]);

    // The same notification is in the inbox.
    let mut inbox = push.start_function("InboxApi").await;
    let list = event("list-notifications");
    let (status, page) = request(&mut inbox, &list).await;
    assert_eq!((status, &page["unread"], page["items"].as_array().map(Vec::len)), (200, &json!(1), Some(1)), "{page}");
    let item = &page["items"][0];
    assert_eq!((&item["rule"], &item["actorCount"], &item["isRead"]), (&json!("follow"), &json!(1), &json!(false)));
    assert_eq!(problem(&mut inbox, &without_caller(list)).await, (401, json!("urn:iyagi:problem:unauthorized")));
}

/// The rows of several followers are read and written together, by PartiQL statements.
#[tokio::test]
async fn story_notifies_each_follower_with_a_phone_once() {
    let push = PushEnvironment::start("push-batch").await;
    let (create, _responses) = platform_application(&push).await;
    invoke(&mut push.start_function("PlatformApplicationMaker").await, &create).await;
    let mut devices = push.start_function("DeviceApi").await;
    let fans: Vec<_> = (0..30).map(|number| format!("fan{number:02}")).collect();
    let with_phone: Vec<_> = fans.iter().step_by(2).collect();
    for fan in &with_phone {
        let profile = Profile { name: (*fan).clone(), language: "ko".into(), platform: Platform::Android };
        push.phones.client().register_phone(fan, &profile).await.expect("phone");
        let mut put = event("put-device");
        put["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = fan.as_str().into();
        put["body"] = json!({"token": fan, "platform": "android", "language": "ko"}).to_string().into();
        let (status, device) = request(&mut devices, &put).await;
        assert_eq!(status, 200, "{device}");
    }
    let mut fanout = push.start_function("PushFanout").await;
    let follows: Vec<_> =
        (1..).zip(&fans).map(|(commit, fan)| change(commit, "follows", fan, "mina", Timestamp::UNIX_EPOCH)).collect();
    consume(&mut fanout, &batch_of(&follows)).await;
    let story = [public_story(100, "s1"), change(101, "told", "mina", "s1", Timestamp::now())];
    for _ in 0..2 {
        consume(&mut fanout, &batch_of(&story)).await;
    }
    let shown = push.phones.client().wait_for_count(0, TIMEOUT, with_phone.len()).await;
    let mut tokens: Vec<_> = shown.expect("notifications").into_iter().map(|shown| shown.token).collect();
    tokens.sort();
    assert_eq!(tokens, with_phone.into_iter().cloned().collect::<Vec<_>>(), "each once");
    let ledger = push.aws.json("dynamodb", "DynamoDB_20120810.Scan", &json!({"TableName": "ledger"})).await;
    let ledger = ledger.expect("rows");
    let outcomes = |outcome: &str| {
        let rows = ledger["Items"].as_array().into_iter().flatten();
        rows.filter(|row| row["outcome"]["S"] == outcome).count()
    };
    assert_eq!((outcomes("sent"), outcomes("no_device")), (15, 15), "{ledger}");
}

/// A like that is removed and added again, each time by a new edge, is pushed once, and is in the inbox.
#[tokio::test]
async fn toggled_like_is_pushed_once_without_names_if_the_content_is_hidden() {
    let push = PushEnvironment::start("push-toggle").await;
    let (create, _responses) = platform_application(&push).await;
    invoke(&mut push.start_function("PlatformApplicationMaker").await, &create).await;
    let mut devices = push.start_function("DeviceApi").await;
    let profile = Profile { name: "미나".into(), language: "ko".into(), platform: Platform::Android };
    push.phones.client().register_phone(TOKEN, &profile).await.expect("phone");
    let mut put = event("put-device");
    assert_eq!(request(&mut devices, &put).await.0, 200);
    put["routeKey"] = "PUT /v1/notification-preferences".into();
    put["requestContext"]["routeKey"] = put["routeKey"].clone();
    put["body"] = json!({"hideContent": true}).to_string().into();
    let stored = request(&mut devices, &put).await;
    assert_eq!(stored, (200, json!({"muted": [], "hideContent": true})));

    let mut fanout = push.start_function("PushFanout").await;
    let now = Timestamp::now();
    let mut facts = [public_story(1, "s1"), public_story(2, "jun")];
    facts[0]["data"]["properties"]["title"] = json!({"before": [], "after": [{"dataType": "String", "value": "첫눈"}]});
    facts[1]["data"]["properties"] = json!({"name": {"before": [], "after": [{"dataType": "String", "value": "준"}]}});
    consume(&mut fanout, &batch_of(&[&facts[..], &[change(3, "told", "mina", "s1", now)]].concat())).await;
    for number in 0..50 {
        let of_edge = |mut change: Value| {
            let id = format!("like{number}");
            change["subject"] = format!("edge/{id}").into();
            change["partitionkey"] = change["subject"].clone();
            change["data"]["entityId"] = id.into();
            change
        };
        let added = of_edge(change(10 + 2 * number, "likes", "jun", "s1", now));
        let removed = of_edge(removal(11 + 2 * number, "likes", "jun", "s1", now));
        // Twice: a message may be delivered again.
        for changes in [&[added.clone()][..], &[added], &[removed]] {
            if number < 49 || changes[0]["type"] == "app.iyagi.graph.edge.added" {
                consume(&mut fanout, &batch_of(changes)).await;
            }
        }
    }
    let shown = push.phones.client().wait_for_count(0, TIMEOUT, 1).await.expect("notification");
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].data["rule"].as_str(), shown[0].data["event"].as_str()), ("like-story", "main/10/1"));
    assert_eq!(shown[0].notice.body, "누군가 회원님의 이야기를 좋아해요.");
    let all = format!("{:?}", shown[0]);
    assert!(!all.contains('준') && !all.contains("첫눈"), "{all}");

    let mut inbox = push.start_function("InboxApi").await;
    let (status, page) = request(&mut inbox, &event("list-notifications")).await;
    assert_eq!((status, &page["unread"], page["items"].as_array().map(Vec::len)), (200, &json!(1), Some(1)), "{page}");
    assert_eq!((&page["items"][0]["rule"], &page["items"][0]["actorCount"]), (&json!("like-story"), &json!(1)));
    let ledger = push.aws.json("dynamodb", "DynamoDB_20120810.Scan", &json!({"TableName": "ledger"})).await;
    let ledger = ledger.expect("rows");
    let rows: Vec<_> = ledger["Items"].as_array().into_iter().flatten().collect();
    let count = |outcome: &str| rows.iter().filter(|row| row["outcome"]["S"] == outcome).count();
    assert_eq!((count("sent"), count("cooldown")), (1, 49), "{ledger}");
    let cooldowns = rows.iter().filter(|row| row["id"]["S"].as_str().is_some_and(|id| id.starts_with("cooldown#")));
    assert_eq!(cooldowns.count(), 1, "one row for all");
}

/// Each page of followers is one turn. Lambda stops a function that sends to itself after 16 turns, unless the template
/// allows it.
#[tokio::test]
async fn chain_of_follower_pages_is_dropped_as_a_loop_unless_allowed() {
    const FUNCTION: &str = "push-fanout";
    let push = PushEnvironment::start("push-loop").await;
    let queue = TracedQueue::start().expect("queue");
    let sqs = [("AWS_ENDPOINT_URL_SQS", queue.endpoint())];
    let mut fanout =
        push.start_function_with("PushFanout", &sqs.each_ref().map(|(name, url)| (*name, url.as_str()))).await;
    // Three pages. The follows are newer than the story, so no follower is notified, and too old to notify the author.
    let follows: Vec<_> = (0..1_100)
        .map(|number| change(5_000 + number, "follows", &format!("fan{number}"), "mina", Timestamp::UNIX_EPOCH))
        .collect();
    for batch in follows.chunks(100) {
        consume(&mut fanout, &batch_of(batch)).await;
    }
    assert_eq!(queue.take(), None, "no dead letter");
    let story = [public_story(12, "s1"), change(13, "told", "mina", "s1", Timestamp::now())];
    // As if 14 turns had happened before.
    let earlier = (0..14)
        .fold(None, |sent: Option<String>, _| invocation_trace(sent.as_deref(), FUNCTION, RecursiveLoop::Terminate));
    let trace = invocation_trace(earlier.as_deref(), FUNCTION, RecursiveLoop::Terminate).expect("the 15th turn");
    let outcome = fanout.invoke_with_trace(&trace, &batch_of(&story)).await.expect("an outcome");
    assert_eq!(outcome, Outcome::Response(json!({"batchItemFailures": []})));
    let second_page = queue.take().expect("a second page");
    // The binary forwards the lineage.
    assert_eq!(second_page.trace.as_deref().and_then(|trace| invocations_before(trace, FUNCTION)), Some(14));
    let (trace, event) = second_page.invocation(FUNCTION, RecursiveLoop::Terminate).expect("the 16th turn");
    let outcome = fanout.invoke_with_trace(&trace, &event).await.expect("an outcome");
    assert_eq!(outcome, Outcome::Response(json!({"batchItemFailures": []})));
    let third_page = queue.take().expect("a third page");
    assert_eq!(third_page.invocation(FUNCTION, RecursiveLoop::Terminate), None, "dropped");
    let (trace, event) = third_page.invocation(FUNCTION, RecursiveLoop::Allow).expect("allowed");
    let outcome = fanout.invoke_with_trace(&trace, &event).await.expect("an outcome");
    assert_eq!(outcome, Outcome::Response(json!({"batchItemFailures": []})));
    assert_eq!(queue.take(), None, "the last page");
}

#[tokio::test]
async fn story_is_sent_to_the_queue_of_its_files_when_it_gets_an_author_or_a_visibility() {
    let push = PushEnvironment::start("push-stories").await;
    let mut fanout = push.start_function("PushFanout").await;
    let changes = [
        public_story(12, "s1"),
        change(13, "told", "mina", "s2", Timestamp::now()),
        change(14, "follows", "jun", "mina", Timestamp::now()),
    ];
    consume(&mut fanout, &batch_of(&changes)).await;
    let mut sent = receive_messages(&push.aws, &push.story_files_queue, 2).await;
    sent.sort();
    let of = |story: &str| format!(r#"{{"type":"app.iyagi.story.files","story":"{story}"}}"#);
    assert_eq!(sent, [of("s1"), of("s2")]);
}

/// A change that adds an edge.
fn change(commit: u64, label: &str, from: &str, to: &str, committed_at: Timestamp) -> Value {
    let id = format!("{label}:{from}:{to}");
    json!({
        "specversion": "1.0", "id": format!("main/{commit}/1"), "source": "/neptune/main",
        "type": "app.iyagi.graph.edge.added", "time": committed_at, "subject": format!("edge/{id}"),
        "datacontenttype": "application/json", "partitionkey": format!("edge/{id}"),
        "data": {
            "position": format!("{commit}/1"), "commitTimestampMs": committed_at.as_millisecond().to_string(),
            "kind": "edge", "entityId": id, "what": "added",
            "labels": {"added": [label], "removed": [], "kept": []}, "ends": {"from": from, "to": to}, "properties": {},
            "propertiesOmitted": 0, "truncated": false,
        },
    })
}

/// A change that removes an edge.
fn removal(commit: u64, label: &str, from: &str, to: &str, committed_at: Timestamp) -> Value {
    let mut change = change(commit, label, from, to, committed_at);
    change["type"] = "app.iyagi.graph.edge.removed".into();
    let data = &mut change["data"];
    data["what"] = "removed".into();
    data["labels"] = json!({"added": [], "removed": [label], "kept": []});
    change
}

/// A change that adds a public story.
fn public_story(commit: u64, id: &str) -> Value {
    let mut change = change(commit, "story", id, id, Timestamp::now());
    change["type"] = "app.iyagi.graph.vertex.added".into();
    change["subject"] = format!("vertex/{id}").into();
    let data = &mut change["data"];
    (data["kind"], data["entityId"]) = ("vertex".into(), id.into());
    data.as_object_mut().expect("data").remove("ends");
    data["properties"] = json!({"visibility": {"before": [], "after": [{"dataType": "String", "value": "public"}]}});
    change
}

/// A batch of the queue, each message in a group of its own.
fn batch_of(changes: &[Value]) -> Value {
    let records: Vec<_> = changes
        .iter()
        .map(|change| {
            json!({
                "messageId": change["id"], "body": change.to_string(),
                "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": change["subject"]},
            })
        })
        .collect();
    json!({ "Records": records })
}

/// An emulator with the tables of push, and an emulator of mobile push in front of its SNS.
struct PushEnvironment {
    emulated: EmulatedAws,
    phones: MobilePushEmulator,
    aws: AwsClient,
    queue: String,
    story_files_queue: String,
    dead_letter_queue: String,
}

impl PushEnvironment {
    /// Each test needs another name.
    async fn start(name: &str) -> Self {
        let emulated = EmulatedAws::start(name);
        let aws = emulated.client.clone();
        let options = Options { upstream: Some(emulated.endpoint()), ..Options::default() };
        let phones = MobilePushEmulator::start(options).expect("emulator of mobile push");
        emulated.create_table("audience", &["pk", "sk"]).await;
        emulated.create_table("ledger", &["id"]).await;
        let by_time = ("by-time", &["pk", "updated_at"][..]);
        emulated.create_table_with_index("inbox", &["pk", "sk"], Some(by_time)).await;
        emulated.create_table("inbox-read", &["user"]).await;
        emulated.create_sealing_secret().await;
        let index = ("by-token", &["token_hash"][..]);
        emulated.create_table_with_index("devices", &["user", "item"], Some(index)).await;
        let queue = create_fifo_queue(&aws, "push.fifo").await;
        let dead_letter_queue = create_fifo_queue(&aws, "push-dlq.fifo").await;
        let story_files_queue = create_queue(&aws, "story-files").await;
        Self { emulated, phones, aws, queue, story_files_queue, dead_letter_queue }
    }

    fn application(&self) -> String {
        format!("arn:aws:sns:{REGION}:000000000000:app/GCM/iyagi-push")
    }

    async fn start_function(&self, logical_id: &str) -> Function {
        self.start_function_with(logical_id, &[]).await
    }

    async fn start_function_with(&self, logical_id: &str, more: &[(&str, &str)]) -> Function {
        let (sns, application) = (self.phones.endpoint(), self.application());
        let settings = [
            ("AWS_ENDPOINT_URL_SNS", sns.as_str()),
            ("AUDIENCE_TABLE", "audience"),
            ("LEDGER_TABLE", "ledger"),
            ("DEVICES_TABLE", "devices"),
            ("INBOX_TABLE", "inbox"),
            ("INBOX_READ_TABLE", "inbox-read"),
            ("SEALING_SECRET_ARN", SEALING_SECRET),
            ("PLATFORM_APPLICATION_ARN", &application),
            ("FOLLOWERS_PER_PAGE", "500"),
            ("PUSH_COOLDOWN", "3600"),
            ("MAX_DEVICE_REMOVALS_PER_HOUR", "100"),
            ("PUSH_QUEUE_URL", &self.queue),
            ("QUEUE_URL", &self.queue),
            ("DEAD_LETTER_QUEUE_URL", &self.dead_letter_queue),
            ("ERASURE_QUEUE_URL", &self.queue),
            ("STORY_FILES_QUEUE_URL", &self.story_files_queue),
        ];
        self.emulated.start_function(logical_id, &[&settings, more].concat()).await
    }
}

/// A request to create the platform application, and the responses to it.
async fn platform_application(push: &PushEnvironment) -> (Value, mpsc::UnboundedReceiver<Value>) {
    let (response_url, responses) = cloud_formation().await;
    let mut create = event("create-platform-application");
    create["ResponseURL"] = response_url.into();
    create["ResourceProperties"]["CredentialsSecretArn"] =
        push_credentials::secret_arn(&push.aws).await.expect("secret").into();
    (create, responses)
}

/// The response URL of CloudFormation, and the responses sent to it. The server ends with the test's runtime.
async fn cloud_formation() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (sender, responses) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("http://{}/answer", listener.local_addr().expect("address"));
    let receive = put(async move |body: String| {
        sender.send(serde_json::from_str(&body).expect("JSON")).expect("receiver");
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/answer", receive)).await });
    (url, responses)
}

/// The same changes with the current time: old changes cause no notification.
fn committed_now(mut event: Value) -> Value {
    for record in event["Records"].as_array_mut().expect("records") {
        let Ok(mut change) = serde_json::from_str::<Value>(record["body"].as_str().expect("body")) else { continue };
        change["data"]["commitTimestampMs"] = Timestamp::now().as_millisecond().to_string().into();
        record["body"] = change.to_string().into();
    }
    event
}
