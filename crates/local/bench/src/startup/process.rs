//! A function's process, from its start to its first question.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use aws_client::REGION;

use super::runtime_api::RuntimeApi;

/// All that functions want to know before they start.
const SETTINGS: [(&str, &str); 39] = [
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
    ("EXPORT_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/search.fifo"),
    ("FFMPEG_PATH", "/bin/true"),
    ("GRAPH_CHANGES_TOPIC_ARN", "arn:aws:sns:ap-northeast-2:000000000000:graph-changes.fifo"),
    ("LEDGER_TABLE", "ledger"),
    ("MEDIA_TABLE", "media"),
    ("METADATA_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/metadata"),
    ("NEPTUNE_ENDPOINT_URL", "https://neptune.example:8182"),
    ("OPENSEARCH_ENDPOINT_URL", "https://search.example"),
    ("ORIGINALS_BUCKET", "originals"),
    ("PLATFORM_APPLICATION_ARN", "arn:aws:sns:ap-northeast-2:000000000000:app/GCM/push"),
    ("PUSH_QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/push.fifo"),
    ("QUEUE_URL", "https://sqs.ap-northeast-2.amazonaws.com/000000000000/queue"),
    ("SEALING_SECRET_ARN", "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:sealing"),
    ("SEARCH_ANALYZER", "nori"),
    ("SEARCH_INDEX", "search"),
    ("SEARCH_TABLE", "search"),
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

/// What a start took, until the function asked for its first event.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    /// By the clock.
    pub wall: Duration,
    /// Of all its threads.
    pub cpu: Duration,
    /// The most that it has held.
    pub memory_kib: u64,
}

/// A function that waits for an event.
#[derive(Debug)]
pub struct Waiting {
    /// StreamBounds it when it is dropped.
    pub process: Process,
    /// Where it is to be answered.
    pub question: TcpStream,
}

/// A process that ends with this value.
#[derive(Debug)]
pub struct Process(Child);

/// Starts `program` and waits until it asks for an event.
pub fn start(program: &Path, settings: &[(&str, &str)]) -> Result<(Started, Waiting)> {
    let api = RuntimeApi::start()?;
    let mut command = Command::new(program);
    command.env_clear().envs(SETTINGS).envs(settings.iter().copied()).env("AWS_LAMBDA_RUNTIME_API", api.address());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let start = Instant::now();
    let process = Process(command.spawn()?);
    let question = api.question()?;
    let started = Started { wall: start.elapsed(), cpu: process.cpu()?, memory_kib: process.peak_memory_kib()? };
    Ok((started, Waiting { process, question }))
}

impl Process {
    /// What all its threads have used since it was started. (Linux, "sched-stats.rst": the first number is
    /// nanoseconds on a processor.)
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let stat = fs::read_to_string(task?.path().join("schedstat"))?;
            let on_processor = stat.split(' ').next().context("a kernel without schedstat")?;
            nanoseconds += on_processor.parse::<u64>()?;
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
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
