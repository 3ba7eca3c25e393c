//! The resources that the functions of the media pipeline use.

use aws_client::{AwsClient, REGION};
use domain::media::{MediaId, Report};
use http::Method;
use lambda_runtime_api::Function;
use serde_json::{Value, json};
use stack::tools;
use test_support::queues::{create_queue, receive_messages};

use crate::emulated_aws::{EmulatedAws, SEALING_SECRET, UNREACHABLE, start_function_at};

/// Buckets, queues, table, secret and distribution in an emulator. No events are wired.
pub struct MediaEnvironment {
    emulated: EmulatedAws,
    pub aws: AwsClient,
    metadata_queue: String,
    story_files_queue: String,
    dead_letter_queue: String,
    distribution: String,
}

impl MediaEnvironment {
    pub async fn start(name: &str) -> Self {
        Self::start_with_index(name, "all_for_owner").await
    }

    /// As [`start`](Self::start), with another index of the table `media`.
    pub async fn start_with_index(name: &str, index: &str) -> Self {
        let emulated = EmulatedAws::start(name);
        let aws = emulated.client.clone();
        for bucket in ["originals", "derived"] {
            let region = format!("<LocationConstraint>{REGION}</LocationConstraint>");
            let body = format!("<CreateBucketConfiguration>{region}</CreateBucketConfiguration>").into_bytes();
            let created = aws.send("s3", Method::PUT, &format!("/{bucket}"), &[], body).await.expect("response");
            assert!(created.status.is_success(), "{:?}", created.status);
        }
        let metadata_queue = create_queue(&aws, "metadata").await;
        let story_files_queue = create_queue(&aws, "story-files").await;
        let dead_letter_queue = create_queue(&aws, "dead-letters").await;
        // The index that these tests query; the template has more.
        let index = (index, &[index, "listed_at"][..]);
        emulated.create_table_with_index("media", &["id"], Some(index)).await;
        emulated.create_table("audience", &["pk", "sk"]).await;
        emulated.create_table("quotas", &["owner", "item"]).await;
        emulated.create_table("reports", &["reporter", "media_id"]).await;
        emulated.create_sealing_secret().await;
        let distribution = create_distribution(&aws).await;
        Self { emulated, aws, metadata_queue, story_files_queue, dead_letter_queue, distribution }
    }

    /// Starts the function with this logical id, with the settings of the template.
    pub async fn start_function(&self, logical_id: &str) -> Function {
        self.start_function_with(logical_id, &[]).await
    }

    /// Starts the function with more settings, or with other values.
    pub async fn start_function_with(&self, logical_id: &str, settings: &[(&str, &str)]) -> Function {
        let own = [
            ("DISTRIBUTION_ID", self.distribution.as_str()),
            ("METADATA_QUEUE_URL", &self.metadata_queue),
            ("STORY_FILES_QUEUE_URL", &self.story_files_queue),
            ("DEAD_LETTER_QUEUE_URL", &self.dead_letter_queue),
        ];
        start(&self.emulated.endpoint(), logical_id, &[&own[..], settings].concat()).await
    }

    /// The report that a worker has sent to `metadata-writer`. Panics if there is not exactly one.
    pub async fn receive_report(&self) -> Report {
        let messages = receive_messages(&self.aws, &self.metadata_queue, 1).await;
        serde_json::from_str(&messages[0]).expect("report")
    }

    /// The messages to the function that changes the visibility of files. Panics if there are not `count`.
    pub async fn receive_story_files(&self, count: usize) -> Vec<String> {
        receive_messages(&self.aws, &self.story_files_queue, count).await
    }

    /// The URL of that function's queue.
    pub fn story_files_queue(&self) -> &str {
        &self.story_files_queue
    }

    /// The one message in the dead-letter queue.
    pub async fn receive_dead_letter(&self) -> String {
        receive_messages(&self.aws, &self.dead_letter_queue, 1).await.swap_remove(0)
    }

    /// The keys of the files derived from the original at `key`.
    pub async fn derived_keys(&self, key: &str) -> Vec<String> {
        self.aws.list_objects("derived", &format!("{}/", MediaId::of_key(key))).await.expect("list")
    }

    /// The content of a derived file.
    pub async fn derived_file(&self, key: &str) -> Vec<u8> {
        let path = format!("/derived/{key}");
        let response = self.aws.send("s3", Method::GET, &path, &[], Vec::new()).await.expect("response");
        assert!(response.status.is_success(), "{key}: {}", response.status);
        response.body
    }

    /// All rows of the table `media`.
    pub async fn rows(&self) -> Vec<Value> {
        self.rows_of("media").await
    }

    /// All rows of a table.
    pub async fn rows_of(&self, table: &str) -> Vec<Value> {
        let scan = json!({"TableName": table});
        let rows = self.aws.json("dynamodb", "DynamoDB_20120810.Scan", &scan).await.expect("rows");
        rows["Items"].as_array().expect("items").clone()
    }

    /// The attribute `state` of all rows.
    pub async fn states(&self) -> Vec<String> {
        let rows = self.rows().await;
        rows.iter().map(|row| row["state"]["S"].as_str().expect("state").to_owned()).collect()
    }
}

/// Starts a function that cannot reach AWS.
pub async fn start_disconnected(logical_id: &str) -> Function {
    let settings = [
        ("DISTRIBUTION_ID", "E1"),
        ("METADATA_QUEUE_URL", "http://127.0.0.1:9/metadata"),
        ("STORY_FILES_QUEUE_URL", "http://127.0.0.1:9/story-files"),
        ("DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:9/dead-letters"),
    ];
    start(UNREACHABLE, logical_id, &settings).await
}

/// Starts a function of the media pipeline. Each function reads a part of these settings.
async fn start(endpoint: &str, logical_id: &str, settings: &[(&str, &str)]) -> Function {
    let ffmpeg = tools::ffmpeg().expect("ffmpeg");
    let common = [
        ("ORIGINALS_BUCKET", "originals"),
        ("DERIVED_BUCKET", "derived"),
        ("DELIVERY_BASE_URL", "https://d1.cloudfront.net"),
        ("FFMPEG_PATH", ffmpeg.to_str().expect("UTF-8")),
        ("MEDIA_TABLE", "media"),
        ("AUDIENCE_TABLE", "audience"),
        ("QUOTAS_TABLE", "quotas"),
        ("REPORTS_TABLE", "reports"),
        ("REPORTS_PER_DAY", "2"),
        ("UPLOADS_PER_DAY", "100"),
        ("UPLOAD_MEGABYTES_PER_DAY", "100"),
        ("PENDING_UPLOADS", "100"),
        ("FAST_RECORDINGS", "10"),
        ("SEALING_SECRET_ARN", SEALING_SECRET),
        // The messages of these tests are in no queue.
        ("QUEUE_URL", "http://127.0.0.1:9/none"),
        ("PICTURE_REPORTS_QUEUE_URL", "http://127.0.0.1:9/picture-reports"),
        ("PICTURE_REPORTS_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:9/picture-reports-dead"),
        ("SOUND_REPORTS_QUEUE_URL", "http://127.0.0.1:9/sound-reports"),
        ("SOUND_REPORTS_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:9/sound-reports-dead"),
    ];
    start_function_at(endpoint, logical_id, &[&common[..], settings].concat()).await
}

/// Creates a distribution in front of the bucket `derived`; returns its id. The functions only create invalidations in it.
async fn create_distribution(aws: &AwsClient) -> String {
    let config = "<DistributionConfig><CallerReference>contract</CallerReference><Comment/><Enabled>true</Enabled>\
        <Origins><Quantity>1</Quantity><Items><Origin><Id>derived</Id>\
        <DomainName>derived.s3.amazonaws.com</DomainName>\
        <S3OriginConfig><OriginAccessIdentity/></S3OriginConfig></Origin></Items></Origins>\
        <DefaultCacheBehavior><TargetOriginId>derived</TargetOriginId>\
        <ViewerProtocolPolicy>https-only</ViewerProtocolPolicy></DefaultCacheBehavior></DistributionConfig>";
    let path = "/2020-05-31/distribution";
    let created = aws.send("cloudfront", Method::POST, path, &[], config.into()).await.expect("response");
    let body = String::from_utf8(created.body).expect("XML");
    assert!(created.status.is_success(), "{body}");
    let id = body.split_once("<Id>").and_then(|(_, rest)| rest.split_once("</Id>")).expect("id").0;
    id.to_owned()
}
