//! What functions reach that are tested alone: an emulator of one test's own.

use domain::media::MediaId;
use http::Method;
use local::{
    aws::Aws,
    emulator::Emulator,
    functions,
    runtime_api::{Answer, Function},
    tools,
};
use serde_json::{Value, json};

use super::create_queue;

/// The secret that cursors and handles are sealed with.
const SEALING_SECRET: &str = "sealing";

/// An emulator of one test's own, with what functions read and write, but no events.
pub struct World {
    emulator: Running,
    pub aws: Aws,
    pub metadata_queue: String,
    pub dead_letters: String,
    distribution: String,
}

impl World {
    pub async fn new(name: &str) -> Self {
        let emulator = Running(Emulator::start(&format!("contract/{name}"), false).expect("an emulator"));
        let aws = Aws::new(emulator.0.endpoint());
        for bucket in ["originals", "derived"] {
            let region = format!("<LocationConstraint>{}</LocationConstraint>", local::emulator::REGION);
            let body = format!("<CreateBucketConfiguration>{region}</CreateBucketConfiguration>").into_bytes();
            let created = aws.send("s3", Method::PUT, &format!("/{bucket}"), &[], body).await.expect("an answer");
            assert!(created.status.is_success(), "{:?}", created.status);
        }
        let metadata_queue = create_queue(&aws, "metadata").await;
        let dead_letters = create_queue(&aws, "dead-letters").await;
        let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let index = |name: &str| {
            json!({
                "IndexName": name, "KeySchema": [key(name, "HASH"), key("listed_at", "RANGE")],
                "Projection": {"ProjectionType": "ALL"}
            })
        };
        // Those that the tests ask; the template has more.
        let table = json!({
            "TableName": "media", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [text("id"), text("all_for_owner"), text("listed_at")],
            "KeySchema": [key("id", "HASH")], "GlobalSecondaryIndexes": [index("all_for_owner")]
        });
        aws.json("dynamodb", "DynamoDB_20120810.CreateTable", &table).await.expect("a table");
        let secret = json!({"Name": SEALING_SECRET, "SecretString": "0123456789abcdef0123456789abcdef"});
        aws.json("secretsmanager", "secretsmanager.CreateSecret", &secret).await.expect("a secret");
        let distribution = create_distribution(&aws).await;
        Self { emulator, aws, metadata_queue, dead_letters, distribution }
    }

    /// Starts the function of this logical id, with the settings that the template gives it.
    pub async fn start(&self, logical_id: &str) -> Function {
        let endpoint = self.emulator.0.endpoint();
        start(logical_id, &endpoint, &self.metadata_queue, &self.dead_letters, &self.distribution).await
    }

    /// The same with one more setting, or another one.
    pub async fn start_with(&self, logical_id: &str, setting: (&'static str, &str)) -> Function {
        let endpoint = self.emulator.0.endpoint();
        let mut settings = settings(&endpoint, &self.metadata_queue, &self.dead_letters, &self.distribution);
        settings.push((setting.0, setting.1.to_owned()));
        run(logical_id, &settings).await
    }

    /// The files that were made from the original at `key`.
    pub async fn derived(&self, key: &str) -> Vec<String> {
        self.aws.list_objects("derived", &format!("{}/", MediaId::of_key(key))).await.expect("a list")
    }

    /// All of the table.
    pub async fn rows(&self) -> Vec<Value> {
        let rows = self.aws.json("dynamodb", "DynamoDB_20120810.Scan", &json!({"TableName": "media"})).await;
        rows.expect("rows")["Items"].as_array().expect("items").clone()
    }
}

/// An emulator that ends with its test, also if that fails.
struct Running(Emulator);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.stop().expect("the emulator ends");
    }
}

/// A distribution before the bucket of derived files, of which the functions only tell caches; its id.
async fn create_distribution(aws: &Aws) -> String {
    let config = "<DistributionConfig><CallerReference>contract</CallerReference><Comment/><Enabled>true</Enabled>\
        <Origins><Quantity>1</Quantity><Items><Origin><Id>derived</Id>\
        <DomainName>derived.s3.amazonaws.com</DomainName>\
        <S3OriginConfig><OriginAccessIdentity/></S3OriginConfig></Origin></Items></Origins>\
        <DefaultCacheBehavior><TargetOriginId>derived</TargetOriginId>\
        <ViewerProtocolPolicy>https-only</ViewerProtocolPolicy></DefaultCacheBehavior></DistributionConfig>";
    let path = "/2020-05-31/distribution";
    let created = aws.send("cloudfront", Method::POST, path, &[], config.into()).await.expect("an answer");
    let body = String::from_utf8(created.body).expect("XML");
    assert!(created.status.is_success(), "{body}");
    let id = body.split_once("<Id>").and_then(|(_, rest)| rest.split_once("</Id>")).expect("an id").0;
    id.to_owned()
}

/// Starts a function that reaches AWS at `endpoint`.
pub async fn start(
    logical_id: &str,
    endpoint: &str,
    metadata_queue: &str,
    dead_letters: &str,
    distribution: &str,
) -> Function {
    run(logical_id, &settings(endpoint, metadata_queue, dead_letters, distribution)).await
}

/// What the template gives one function or another.
fn settings(
    endpoint: &str,
    metadata_queue: &str,
    dead_letters: &str,
    distribution: &str,
) -> Vec<(&'static str, String)> {
    let ffmpeg = tools::ffmpeg().expect("ffmpeg");
    let settings = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", local::emulator::REGION),
        ("CALLER_BURST", "20"),
        ("CALLER_RATE", "1"),
        ("ORIGINALS_BUCKET", "originals"),
        ("DERIVED_BUCKET", "derived"),
        ("DISTRIBUTION_ID", distribution),
        ("DELIVERY_BASE_URL", "https://d1.cloudfront.net"),
        ("FFMPEG_PATH", ffmpeg.to_str().expect("UTF-8")),
        ("MEDIA_TABLE", "media"),
        ("AUDIENCE_TABLE", "audience"),
        ("SEALING_SECRET_ARN", SEALING_SECRET),
        ("METADATA_QUEUE_URL", metadata_queue),
        // Messages of these tests come from no queue.
        ("QUEUE_URL", "http://127.0.0.1:9/none"),
        ("DEAD_LETTER_QUEUE_URL", dead_letters),
    ];
    settings.map(|(name, value)| (name, value.to_owned())).into()
}

async fn run(logical_id: &str, settings: &[(&'static str, String)]) -> Function {
    let environment: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Function::start(&functions::bootstrap(logical_id), &environment).await.expect("the function starts")
}

/// What a function answers when no message is to come again.
pub fn all_done() -> Answer {
    Answer::Response(json!({"batchItemFailures": []}))
}
