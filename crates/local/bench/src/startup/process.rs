//! A function's process until its request for the first event.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use aws_client::REGION;
use lambda_runtime_api::{FirstInvocation, PendingInvocation};

/// Environment variables for all functions.
const SETTINGS: &[(&str, &str)] = &[
    ("ACCOUNTS_TABLE", "accounts"),
    ("ACCOUNT_EVENTS_TOPIC_ARN", "arn:aws:sns:ap-northeast-2:000000000000:account-events"),
    ("ERASURE_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/erasures"),
    ("ERASURE_WAIT_SECONDS", "900"),
    ("INBOX_READ_TABLE", "inbox-read"),
    ("INBOX_TABLE", "inbox"),
    ("OFFERS_AUDIO", "true"),
    ("PUSH_EVENTS_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/push-events"),
    ("SLOW_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/slow-audio"),
    ("USER_POOL_ID", "ap-northeast-2_pool"),
    ("AUDIENCE_TABLE", "audience"),
    ("CALLER_BURST", "200"),
    ("CALLER_RATE", "50"),
    ("CHECKPOINT_TABLE", "checkpoint"),
    ("CLUSTER", "main"),
    ("DEAD_LETTER_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/dead-letters"),
    ("DELIVERY_BASE_URL", "https://d111111abcdef8.cloudfront.net"),
    ("DELIVERY_KEY_ID", "K1"),
    ("DELIVERY_KEY_SECRET_ARN", "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:delivery"),
    ("DERIVED_BUCKET", "derived"),
    ("DEVICES_TABLE", "devices"),
    ("DISTRIBUTION_ID", "E1"),
    ("EXPORTS_BUCKET", "exports"),
    ("EXPORTS_PER_DAY", "2"),
    ("EXPORTS_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/exports.fifo"),
    ("EXPORTS_TABLE", "exports"),
    ("EXPORT_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/search.fifo"),
    ("FAST_RECORDINGS", "10"),
    ("FFMPEG_PATH", "/bin/true"),
    ("FOLLOWS_TABLE", "follows"),
    ("GRAPH_CHANGES_TOPIC_ARN", "arn:aws:sns:ap-northeast-2:000000000000:graph-changes.fifo"),
    ("LEDGER_TABLE", "ledger"),
    ("FOLLOWERS_PER_PAGE", "500"),
    ("PUSH_COOLDOWN", "3600"),
    ("MAX_DEVICE_REMOVALS_PER_HOUR", "100"),
    ("MEDIA_TABLE", "media"),
    ("METADATA_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/metadata"),
    ("NEPTUNE_ENDPOINT_URL", "https://neptune.example:8182"),
    ("OPENSEARCH_ENDPOINT_URL", "https://search.example"),
    ("ORIGINALS_BUCKET", "originals"),
    ("PENDING_UPLOADS", "300"),
    (
        "PICTURE_REPORTS_DEAD_LETTER_QUEUE_URL",
        "https://sqs.ap-northeast-2.amazonaws.com/000000000000/picture-reports-dead",
    ),
    ("PICTURE_REPORTS_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/picture-reports"),
    ("PLATFORM_APPLICATION_ARN", "arn:aws:sns:ap-northeast-2:000000000000:app/GCM/push"),
    ("PUSH_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/push.fifo"),
    ("QUOTAS_TABLE", "quotas"),
    ("QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/queue"),
    ("REPORTS_PER_DAY", "50"),
    ("REPORTS_TABLE", "reports"),
    ("SEALING_SECRET_ARN", "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:sealing"),
    ("SEARCH_ANALYZER", "nori"),
    ("SEARCH_INDEX", "search"),
    ("SEARCH_TABLE", "search"),
    ("SOUND_REPORTS_DEAD_LETTER_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/sound-reports-dead"),
    ("STORY_FILES_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/story-files"),
    ("SOUND_REPORTS_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/sound-reports"),
    ("UPLOAD_MEGABYTES_PER_DAY", "20480"),
    ("UPLOADS_PER_DAY", "1000"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
    ("AWS_REGION", REGION),
    ("AWS_LAMBDA_FUNCTION_NAME", "startup"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "startup"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "startup"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
];

/// Costs of a start until the request for the first event.
#[derive(Debug, Clone, Copy)]
pub struct StartCost {
    /// Elapsed time.
    pub wall: Duration,
    /// CPU time of all threads.
    pub cpu: Duration,
    /// Peak resident memory.
    pub memory_kib: u64,
}

/// A function that waits for its first event.
#[derive(Debug)]
pub struct Start {
    /// Costs until now.
    pub cost: StartCost,
    /// The process.
    pub process: Process,
    /// The request for the event.
    pub invocation: PendingInvocation,
}

/// A process. Dropping the value kills it.
#[derive(Debug)]
pub struct Process(Child);

/// Starts `program` and waits until it requests an event.
pub fn start(program: &Path, settings: &[(&str, &str)]) -> Result<Start> {
    let api = FirstInvocation::listen()?;
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(SETTINGS.iter().copied())
        .envs(settings.iter().copied())
        .env("AWS_LAMBDA_RUNTIME_API", api.address()?);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let start = Instant::now();
    let process = Process(command.spawn()?);
    let invocation = api.accept()?;
    let cost = StartCost { wall: start.elapsed(), cpu: process.cpu()?, memory_kib: process.peak_memory_kib()? };
    Ok(Start { cost, process, invocation })
}

impl Process {
    /// CPU time of all threads since the start. The first field of `schedstat` is in nanoseconds (Linux,
    /// "sched-stats.rst").
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let stat = fs::read_to_string(task?.path().join("schedstat"))?;
            let cpu_time = stat.split(' ').next().context("the kernel has no schedstat")?;
            nanoseconds += cpu_time.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn peak_memory_kib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
