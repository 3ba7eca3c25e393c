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
    time,
};

/// The trace header of an invocation without lineage.
const NO_TRACE: &str = "Root=1-00000000-000000000000000000000000;Sampled=0";
/// How long [`Function::invoke`] waits. It only ends failing tests: others may keep the machine busy.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A process of a function and its Runtime API. Dropping the value stops both.
pub struct Function {
    child: Child,
    events: mpsc::UnboundedSender<Invocation>,
    server: tokio::task::JoinHandle<()>,
}

/// What a function reports for an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The handler's result.
    Response(Value),
    /// The invocation failed: an object with `errorType` and `errorMessage`.
    Error(Value),
}

struct Invocation {
    event: String,
    trace: String,
    timeout: Duration,
    outcome: oneshot::Sender<Outcome>,
}

struct Api {
    events: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    in_flight: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    next_id: AtomicU64,
}

impl Function {
    /// Starts the binary at `bootstrap` with the variables of the Lambda environment and those of `environment`.
    pub async fn start(bootstrap: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, receiver) = mpsc::unbounded_channel();
        let api = Api { events: Mutex::new(receiver), in_flight: Mutex::default(), next_id: AtomicU64::new(1) };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(Arc::new(api));
        let server = tokio::spawn(async move {
            // The server runs until the task is aborted.
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

    /// Invokes the function with `event` and waits for the outcome for at most a minute.
    pub async fn invoke(&mut self, event: &Value) -> Result<Outcome> {
        self.invoke_with_timeout(TIMEOUT, event).await
    }

    /// Like [`Self::invoke`] for at most `timeout`, which is also the deadline that the function receives.
    pub async fn invoke_with_timeout(&mut self, timeout: Duration, event: &Value) -> Result<Outcome> {
        self.invoke_with(timeout, NO_TRACE, event).await
    }

    /// Like [`Self::invoke`] with this trace header.
    pub async fn invoke_with_trace(&mut self, trace: &str, event: &Value) -> Result<Outcome> {
        self.invoke_with(TIMEOUT, trace, event).await
    }

    async fn invoke_with(&mut self, timeout: Duration, trace: &str, event: &Value) -> Result<Outcome> {
        let (sender, receiver) = oneshot::channel();
        let invocation = Invocation { event: event.to_string(), trace: trace.to_owned(), timeout, outcome: sender };
        self.events.send(invocation).ok().context("the Runtime API stopped")?;
        tokio::select! {
            outcome = time::timeout(timeout, receiver) => Ok(outcome.context("the function took too long")??),
            status = self.child.wait() => bail!("the function exited: {}", status?),
        }
    }

    /// Kills the process with SIGKILL.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// CPU seconds of the process and of its child processes that have exited (Linux only).
    pub fn cpu_seconds(&self) -> Result<(f64, f64)> {
        let pid = self.child.id().context("the function has exited")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name may contain any character. Fields 14 to 17 are utime, stime, cutime and cstime (proc(5)).
        let (_, fields) = stat.rsplit_once(')').context("no process name")?;
        let ticks: Vec<f64> = fields
            .split_whitespace()
            .skip(11)
            .take(4)
            .map(str::parse)
            .collect::<Result<_, _>>()
            .context("a field is not a number")?;
        let &[user, system, children_user, children_system] = ticks.as_slice() else { bail!("no CPU time") };
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        Ok(((user + system) / per_second, (children_user + children_system) / per_second))
    }

    /// The peak resident memory of the process in bytes (Linux only).
    pub fn peak_memory(&self) -> Result<u64> {
        let pid = self.child.id().context("the function has exited")?;
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
    let deadline = (now + invocation.timeout).as_millis().to_string();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", id.as_str()),
        ("lambda-runtime-deadline-ms", deadline.as_str()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:ap-northeast-2:000000000000:function:contract"),
        ("lambda-runtime-trace-id", invocation.trace.as_str()),
        ("content-type", "application/json"),
    ] {
        let value = HeaderValue::from_str(value).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    api.in_flight.lock().await.insert(id, invocation.outcome);
    Ok((headers, invocation.event))
}

async fn response(State(api): State<Arc<Api>>, UrlPath(id): UrlPath<String>, body: String) -> StatusCode {
    complete(&api, &id, Outcome::Response(json(body))).await
}

async fn error(State(api): State<Arc<Api>>, UrlPath(id): UrlPath<String>, body: String) -> StatusCode {
    complete(&api, &id, Outcome::Error(json(body))).await
}

async fn complete(api: &Api, id: &str, outcome: Outcome) -> StatusCode {
    match api.in_flight.lock().await.remove(id) {
        Some(sender) => {
            // The caller may have timed out.
            let _ = sender.send(outcome);
            StatusCode::ACCEPTED
        }
        None => StatusCode::BAD_REQUEST,
    }
}

fn json(body: String) -> Value {
    serde_json::from_str(&body).unwrap_or(Value::String(body))
}
