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

/// Name of the worker's binary.
pub const BINARY: &str = "audio-worker";
/// The function's timeout in the template.
const TIMEOUT: Duration = Duration::from_secs(900);
/// Key of the recording.
const KEY: &str = "audio/bench/story";

/// CPU and memory of the worker for a recording.
pub struct WorkerCost {
    pub file: String,
    /// CPU seconds of the worker per minute of sound, without ffmpeg.
    pub worker: f64,
    /// CPU seconds of ffmpeg per minute of sound.
    pub ffmpeg: f64,
    /// Peak memory of the worker without ffmpeg.
    pub mib: f64,
}

/// Measures the worker, as built for AWS, with each of `recordings`, which have their durations in minutes.
pub async fn measure(recordings: &[(PathBuf, f64)]) -> Result<Vec<WorkerCost>> {
    let emulator = Emulator::start("bench/sound", false)?;
    let measured = prepare_all(&emulator, recordings).await;
    emulator.stop()?;
    measured
}

async fn prepare_all(emulator: &Emulator, recordings: &[(PathBuf, f64)]) -> Result<Vec<WorkerCost>> {
    let aws = AwsClient::new(emulator.endpoint());
    for bucket in ["originals", "derived"] {
        let region = format!("<LocationConstraint>{REGION}</LocationConstraint>");
        let body = format!("<CreateBucketConfiguration>{region}</CreateBucketConfiguration>");
        let created = aws.send("s3", Method::PUT, &format!("/{bucket}"), &[], body.into()).await?;
        ensure!(created.status.is_success(), "cannot create the bucket {bucket}: {}", created.status);
    }
    let queue = aws.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": "metadata"})).await?;
    let queue = queue["QueueUrl"].as_str().context("the queue has no URL")?;
    let mut costs = Vec::new();
    for (path, minutes) in recordings {
        costs.push(prepare(&aws, &emulator.endpoint(), queue, path, *minutes).await?);
    }
    Ok(costs)
}

/// Each recording gets its own process, so that its CPU time and memory are separate.
async fn prepare(aws: &AwsClient, endpoint: &str, queue: &str, path: &Path, minutes: f64) -> Result<WorkerCost> {
    let ffmpeg = tools::ffmpeg()?;
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_REGION", REGION),
        ("ORIGINALS_BUCKET", "originals"),
        ("DERIVED_BUCKET", "derived"),
        // The worker invalidates no files in the CDN.
        ("DISTRIBUTION_ID", "none"),
        ("FFMPEG_PATH", ffmpeg.to_str().context("ffmpeg's path is not UTF-8")?),
        ("METADATA_QUEUE_URL", queue),
        ("QUEUE_URL", queue),
        ("DEAD_LETTER_QUEUE_URL", queue),
    ];
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let size = bytes.len();
    aws.put_object("originals", KEY, "application/octet-stream", bytes).await?;
    let event = upload_event(size, &aws.etag("originals", KEY).await?);

    let mut worker = Function::start(&functions::built_binary(BINARY), &environment).await?;
    let outcome = worker.invoke_with_timeout(TIMEOUT, &event).await?;
    ensure!(outcome == Outcome::Response(json!({"batchItemFailures": []})), "the worker failed: {outcome:?}");
    let renditions = aws.list_objects("derived", &format!("{}/", MediaId::of_key(KEY))).await?;
    ensure!(!renditions.is_empty(), "the worker stored nothing for {}", path.display());
    let (worker_cpu, ffmpeg_cpu) = worker.cpu_seconds()?;
    let mib = worker.peak_memory()? as f64 / f64::from(1 << 20);
    worker.kill().await?;
    for key in renditions {
        aws.delete_object("derived", &key).await?;
    }
    Ok(WorkerCost { file: inputs::name(path), worker: worker_cpu / minutes, ffmpeg: ffmpeg_cpu / minutes, mib })
}

/// An SQS event with S3's notification of the upload.
fn upload_event(size: usize, etag: &str) -> Value {
    let notification = json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": REGION, "eventTime": "2026-11-22T03:04:05.678Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"object": {"key": KEY, "size": size, "eTag": etag, "sequencer": "0A"}}
    }]});
    json!({"Records": [{"messageId": "bench", "body": notification.to_string()}]})
}
