//! One function alone, under a Lambda Runtime API: the contract that every binary keeps, without
//! AWS or Docker.
//!
//! See AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".

use std::{
    collections::HashMap,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use axum::{
    Router,
    extract::{Path as UrlPath, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};

/// How long a function may take if nothing else is said, as Lambda's time-outs go.
const PATIENCE: Duration = Duration::from_secs(60);

/// A function's process and the Runtime API that it talks to; both end with this value.
pub struct Function {
    child: Child,
    events: mpsc::UnboundedSender<Invocation>,
    server: tokio::task::JoinHandle<()>,
}

/// What a function answers to an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its result.
    Response(Value),
    /// The invocation failed, as `errorType` and `errorMessage` say.
    Error(Value),
}

struct Invocation {
    event: String,
    patience: Duration,
    answer: oneshot::Sender<Outcome>,
}

struct Api {
    events: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    next_id: AtomicU64,
}

impl Function {
    /// Starts the binary at `bootstrap` with these environment variables and nothing else of AWS.
    pub async fn start(bootstrap: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, receiver) = mpsc::unbounded_channel();
        let api = Api { events: Mutex::new(receiver), waiting: Mutex::default(), next_id: AtomicU64::new(1) };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(Arc::new(api));
        let server = tokio::spawn(async move {
            // Serving ends only with the task.
            let _ = axum::serve(listener, router).await;
        });
        let child = Command::new(bootstrap)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "contract")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}: has it been built?", bootstrap.display()))?;
        Ok(Self { child, events, server })
    }

    /// Hands `event` to the function and waits for its answer, for a minute at most.
    pub async fn invoke(&mut self, event: &Value) -> Result<Outcome> {
        self.invoke_with_timeout(PATIENCE, event).await
    }

    /// Likewise, for `patience`, of which the function is told.
    pub async fn invoke_with_timeout(&mut self, patience: Duration, event: &Value) -> Result<Outcome> {
        let (sender, receiver) = oneshot::channel();
        let invocation = Invocation { event: event.to_string(), patience, answer: sender };
        self.events.send(invocation).ok().context("the server is gone")?;
        tokio::select! {
            answer = timeout(patience, receiver) => Ok(answer.context("the function took too long")??),
            status = self.child.wait() => bail!("the function has ended: {}", status?),
        }
    }

    /// Ends the process at once (SIGKILL), whatever it is doing.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The CPU time that the process has used, and that of the processes which it has started and
    /// waited for; in seconds (Linux only).
    pub fn cpu_seconds(&self) -> Result<(f64, f64)> {
        let pid = self.child.id().context("the function has ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // Behind the name, which may hold anything: utime, stime, cutime and cstime are fields 14 to 17.
        let (_, fields) = stat.rsplit_once(')').context("no name")?;
        let ticks: Vec<f64> = fields
            .split_whitespace()
            .skip(11)
            .take(4)
            .map(str::parse)
            .collect::<Result<_, _>>()
            .context("no number")?;
        let &[user, system, of_children, in_kernel] = ticks.as_slice() else { bail!("no CPU time") };
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        Ok(((user + system) / per_second, (of_children + in_kernel) / per_second))
    }

    /// The most memory that the process has held, in bytes (Linux only).
    pub fn peak_memory(&self) -> Result<u64> {
        let pid = self.child.id().context("the function has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(api): State<Arc<Api>>) -> Result<(HeaderMap, String), StatusCode> {
    let invocation = api.events.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let id = format!("00000000-0000-0000-0000-{:012}", api.next_id.fetch_add(1, Ordering::Relaxed));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let deadline = (now + invocation.patience).as_millis().to_string();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", id.as_str()),
        ("lambda-runtime-deadline-ms", deadline.as_str()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:ap-northeast-2:000000000000:function:contract"),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
        ("content-type", "application/json"),
    ] {
        let value = HeaderValue::from_str(value).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    api.waiting.lock().await.insert(id, invocation.answer);
    Ok((headers, invocation.event))
}

async fn response(State(api): State<Arc<Api>>, UrlPath(id): UrlPath<String>, body: String) -> StatusCode {
    answer(&api, &id, Outcome::Response(json(body))).await
}

async fn error(State(api): State<Arc<Api>>, UrlPath(id): UrlPath<String>, body: String) -> StatusCode {
    answer(&api, &id, Outcome::Error(json(body))).await
}

async fn answer(api: &Api, id: &str, answer: Outcome) -> StatusCode {
    match api.waiting.lock().await.remove(id) {
        // Whoever asked may have given up.
        Some(waiting) => {
            let _ = waiting.send(answer);
            StatusCode::ACCEPTED
        }
        None => StatusCode::BAD_REQUEST,
    }
}

fn json(body: String) -> Value {
    serde_json::from_str(&body).unwrap_or(Value::String(body))
}
