//! The functions of push, each alone and as built for AWS, by the Lambda Runtime API: the
//! application is made, a phone signs in, and it is told of a follow.
//!
//! The same files serve `sam local invoke <Function> -e tests/events/<file>.json`.

mod support;

use std::time::Duration;

use axum::{Router, routing::put};
use domain::push::Platform;
use jiff::Timestamp;
use local::{
    aws::Aws,
    emulator::Emulator,
    functions,
    phones::{Options, Phones, Profile},
    push_credentials,
    runtime_api::{Answer, Function},
};
use serde_json::{Value, json};
use support::{create_fifo_queue, event, http_answer, messages};
use tokio::{net::TcpListener, sync::mpsc};

const TOKEN: &str = "contract-token";

#[tokio::test]
async fn the_functions_of_push_keep_their_contracts() {
    let world = World::new().await;

    let (response_url, mut answers) = cloud_formation().await;
    let mut create = event("create-platform-application");
    create["ResponseURL"] = response_url.into();
    create["ResourceProperties"]["CredentialsSecretArn"] =
        push_credentials::secret(&world.aws).await.expect("a secret").into();
    let mut maker = world.start("PlatformApplicationMaker").await;
    for _ in 0..2 {
        // Twice: CloudFormation may ask again.
        maker.invoke(&create).await.expect("an answer");
        let answer = answers.recv().await.expect("CloudFormation is told");
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
        assert_eq!(answer["PhysicalResourceId"], world.application(), "{answer}");
    }
    create["ResourceProperties"]["CredentialsSecretArn"] = "nowhere".into();
    maker.invoke(&create).await.expect("an answer");
    let answer = answers.recv().await.expect("CloudFormation is told");
    assert_eq!(answer["Status"], "FAILED", "{answer}");

    let mut devices = world.start("DeviceApi").await;
    let put = event("put-device");
    let (status, device) = http_answer(devices.invoke(&put).await.expect("an answer"));
    assert_eq!((status, &device["id"]), (200, &json!("phone")));
    let mut stranger = put.clone();
    stranger["requestContext"].as_object_mut().expect("an object").remove("authorizer");
    let (status, problem) = http_answer(devices.invoke(&stranger).await.expect("an answer"));
    assert_eq!((status, &problem["type"]), (401, &json!("urn:iyagi:problem:unauthorized")));

    let profile = Profile { name: "미나".into(), language: "ko".into(), platform: Platform::Android };
    world.phones.client().set_up(TOKEN, &profile).await.expect("a phone");
    let mut fanout = world.start("PushFanout").await;
    let changes = now(event("graph-changes"));
    for _ in 0..2 {
        let answer = fanout.invoke(&changes).await.expect("an answer");
        assert_eq!(answer, Answer::Response(json!({"batchItemFailures": []})));
    }
    let shown = world.phones.client().wait_for_count(0, Duration::from_secs(10), 1).await.expect("told");
    assert_eq!(shown.len(), 1, "once, however often it comes");
    assert_eq!(shown[0].notice.body, "누군가 회원님을 팔로우하기 시작했어요.");
    let dead = messages(&world.aws, &world.dead_letters, 1).await;
    assert_eq!(dead, ["this is not a change"], "buried, once within five minutes");
}

/// What the functions reach: an emulator, and phones in front of its SNS.
struct World {
    emulator: Emulator,
    phones: Phones,
    aws: Aws,
    queue: String,
    dead_letters: String,
}

impl World {
    async fn new() -> Self {
        let emulator = Emulator::start("contract/push", false).expect("an emulator");
        let aws = Aws::new(emulator.endpoint());
        let options = Options { upstream: Some(emulator.endpoint()), ..Options::default() };
        let phones = Phones::start(options).expect("phones");
        let (text, key) = (
            |name: &str| json!({"AttributeName": name, "AttributeType": "S"}),
            |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind}),
        );
        let by_token = json!([{
            "IndexName": "by-token", "KeySchema": [key("token_hash", "HASH")], "Projection": {"ProjectionType": "ALL"}
        }]);
        for (name, attributes, schema, indexes) in [
            ("audience", json!([text("pk"), text("sk")]), json!([key("pk", "HASH"), key("sk", "RANGE")]), None),
            ("ledger", json!([text("id")]), json!([key("id", "HASH")]), None),
            (
                "devices",
                json!([text("user"), text("item"), text("token_hash")]),
                json!([key("user", "HASH"), key("item", "RANGE")]),
                Some(by_token),
            ),
        ] {
            let mut table = json!({
                "TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": attributes, "KeySchema": schema
            });
            if let Some(indexes) = indexes {
                table["GlobalSecondaryIndexes"] = indexes;
            }
            aws.json("dynamodb", "DynamoDB_20120810.CreateTable", &table).await.expect("a table");
        }
        let (queue, dead_letters) =
            (create_fifo_queue(&aws, "push.fifo").await, create_fifo_queue(&aws, "push-dlq.fifo").await);
        Self { emulator, phones, aws, queue, dead_letters }
    }

    fn application(&self) -> String {
        format!("arn:aws:sns:{}:000000000000:app/GCM/iyagi-push", local::emulator::REGION)
    }

    async fn start(&self, logical_id: &str) -> Function {
        let (endpoint, phones, application) = (self.emulator.endpoint(), self.phones.endpoint(), self.application());
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ENDPOINT_URL_SNS", &phones),
            ("AWS_ACCESS_KEY_ID", local::emulator::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", local::emulator::SECRET_KEY),
            ("AWS_REGION", local::emulator::REGION),
            ("AUDIENCE_TABLE", "audience"),
            ("LEDGER_TABLE", "ledger"),
            ("DEVICES_TABLE", "devices"),
            ("PLATFORM_APPLICATION_ARN", &application),
            ("PUSH_QUEUE_URL", &self.queue),
            ("DEAD_LETTER_QUEUE_URL", &self.dead_letters),
        ];
        Function::start(&functions::bootstrap(logical_id), &environment).await.expect("the function starts")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.emulator.stop().expect("the emulator ends");
    }
}

/// Where CloudFormation waits for answers, and what it is told.
async fn cloud_formation() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (told, answers) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/answer", listener.local_addr().expect("an address"));
    let answer = put(async move |body: String| {
        told.send(serde_json::from_str(&body).expect("JSON")).expect("somebody waits");
    });
    // It ends with the test.
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/answer", answer)).await });
    (url, answers)
}

/// The same changes, committed just now: nobody is told of what is long past.
fn now(mut event: Value) -> Value {
    for record in event["Records"].as_array_mut().expect("records") {
        let Ok(mut change) = serde_json::from_str::<Value>(record["body"].as_str().expect("a body")) else { continue };
        change["data"]["commitTimestampMs"] = Timestamp::now().as_millisecond().to_string().into();
        record["body"] = change.to_string().into();
    }
    event
}
