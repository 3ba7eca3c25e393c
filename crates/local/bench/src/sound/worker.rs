use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use aws_client::{ACCESS_KEY, AwsClient, REGION, SECRET_KEY};
use domain::media::MediaId;
use http::Method;
use lambda_runtime_api::{Function, Outcome};
use serde_json::{Value, json};
use stack::{emulator::Emulator, functions, tools};

use super::inputs;

/// The worker.
pub const BINARY: &str = "audio-worker";
/// As the template's time-out.
const PATIENCE: Duration = Duration::from_secs(900);
/// Where the recording lies.
const KEY: &str = "audio/bench/story";

/// What the whole worker takes for a recording, from S3's event to its report.
pub struct Taken {
    pub file: String,
    /// Seconds of CPU a minute of sound, of the worker and of the ffmpeg that it starts.
    pub worker: f64,
    pub ffmpeg: f64,
    /// The most memory that the worker, without ffmpeg, has held.
    pub mib: f64,
}

/// Has the worker, as it is built for AWS, prepare each of these recordings, whose minutes stand beside them.
pub async fn measure(recordings: &[(PathBuf, f64)]) -> Result<Vec<Taken>> {
    let emulator = Emulator::start("bench/sound", false)?;
    let measured = prepare_all(&emulator, recordings).await;
    emulator.stop()?;
    measured
}

async fn prepare_all(emulator: &Emulator, recordings: &[(PathBuf, f64)]) -> Result<Vec<Taken>> {
    let aws = AwsClient::new(emulator.endpoint());
    for bucket in ["originals", "derived"] {
        let region = format!("<LocationConstraint>{REGION}</LocationConstraint>");
        let body = format!("<CreateBucketConfiguration>{region}</CreateBucketConfiguration>");
        let created = aws.send("s3", Method::PUT, &format!("/{bucket}"), &[], body.into()).await?;
        ensure!(created.status.is_success(), "no bucket: {}", created.status);
    }
    let queue = aws.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": "metadata"})).await?;
    let queue = queue["QueueUrl"].as_str().context("a queue without a URL")?;
    let mut all = Vec::new();
    for (path, minutes) in recordings {
        all.push(prepare(&aws, &emulator.endpoint(), queue, path, *minutes).await?);
    }
    Ok(all)
}

/// A process for each recording: what one took is not mixed with what another did.
async fn prepare(aws: &AwsClient, endpoint: &str, queue: &str, path: &Path, minutes: f64) -> Result<Taken> {
    let ffmpeg = tools::ffmpeg()?;
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_REGION", REGION),
        ("ORIGINALS_BUCKET", "originals"),
        ("DERIVED_BUCKET", "derived"),
        // Nothing that is at its edges goes.
        ("DISTRIBUTION_ID", "none"),
        ("FFMPEG_PATH", ffmpeg.to_str().context("ffmpeg's path is not UTF-8")?),
        ("METADATA_QUEUE_URL", queue),
        ("QUEUE_URL", queue),
        ("DEAD_LETTER_QUEUE_URL", queue),
    ];
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let size = bytes.len();
    aws.put_object("originals", KEY, "application/octet-stream", bytes).await?;
    let event = landed(size, &aws.etag("originals", KEY).await?);

    let mut worker = Function::start(&functions::built_binary(BINARY), &environment).await?;
    let answer = worker.invoke_with_timeout(PATIENCE, &event).await?;
    ensure!(answer == Outcome::Response(json!({"batchItemFailures": []})), "the worker failed: {answer:?}");
    let made = aws.list_objects("derived", &format!("{}/", MediaId::of_key(KEY))).await?;
    ensure!(!made.is_empty(), "nothing was made of {}", path.display());
    let (own, children) = worker.cpu_seconds()?;
    let mib = worker.peak_memory()? as f64 / f64::from(1 << 20);
    worker.kill().await?;
    for key in made {
        aws.delete_object("derived", &key).await?;
    }
    Ok(Taken { file: inputs::name(path), worker: own / minutes, ffmpeg: children / minutes, mib })
}

/// S3's notification, as the queue hands it on.
fn landed(size: usize, etag: &str) -> Value {
    let notification = json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": REGION, "eventTime": "2026-11-22T03:04:05.678Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"object": {"key": KEY, "size": size, "eTag": etag, "sequencer": "0A"}}
    }]});
    json!({"Records": [{"messageId": "bench", "body": notification.to_string()}]})
}
