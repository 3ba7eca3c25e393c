use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt, stream};
use http_server::{Server, serve_until_shutdown};
use serde_json::json;

use super::{
    Options,
    batch::{Split, split},
    call::Call,
    client::Client,
    counters::Counters,
    fault::Fault,
    plan::{FaultPlan, matching_rule, seeded_hash},
    service_error::service_error,
    upstream::Upstreams,
    visibility_timeout::shorten,
};

/// Maximum duration of a delay. Every function has shorter timeouts.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// Pause before a response is aborted. Without it, hyper would discard the part of the body that is not flushed.
const FLUSH_DELAY: Duration = Duration::from_millis(20);
/// Maximum size of a request in bytes. Clients upload originals directly, not through this proxy.
const MAX_REQUEST: usize = 512 << 20;
/// Maximum size of a response that is read in order to truncate it, in bytes.
const MAX_RESPONSE: usize = 512 << 20;

/// A running fault proxy. Dropping the value stops it.
#[derive(Debug)]
pub struct FaultProxy(Server);

impl FaultProxy {
    /// Starts a proxy on the loopback interface, without faults. It accepts requests when this returns. The emulators
    /// behind it can start later.
    pub fn start(options: &Options) -> Result<Self> {
        let app = Arc::new(App { upstreams: Upstreams::new(options)?, injector: Mutex::default() });
        let router = |_| {
            Router::new()
                .route("/_faults", get(counts).put(set).delete(clear))
                .fallback(proxy)
                .layer(DefaultBodyLimit::disable())
                .with_state(app)
        };
        Ok(Self(Server::start("faults", options.port, router)?))
    }

    /// The proxy's base URL.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// A client of the control API.
    pub fn client(&self) -> Client {
        Client::new(self.endpoint())
    }
}

/// Runs a proxy until SIGTERM or Ctrl-C: `cargo xtask faults`.
pub async fn run(options: Options) -> Result<()> {
    serve_until_shutdown(|| FaultProxy::start(&options), FaultProxy::endpoint).await
}

struct App {
    upstreams: Upstreams,
    injector: Mutex<Injector>,
}

/// The fault plan and its progress.
#[derive(Default)]
struct Injector {
    plan: FaultPlan,
    /// Number of faults by rule.
    hits: Vec<u32>,
    /// Number of requests by operation since the plan was set.
    numbers: HashMap<Call, u64>,
    counters: Counters,
}

/// What happens to a request.
enum Decision {
    Forward,
    Answer(Box<Response>),
    Inject(Fault),
    Split(Split),
}

impl Injector {
    fn decide(&mut self, call: &Call, method: &Method, body: &[u8]) -> Decision {
        self.counters.request(call);
        let number = self.numbers.entry(call.clone()).or_default();
        let current = *number;
        *number += 1;
        let Some(index) = matching_rule(&self.plan, &self.hits, call, current) else { return Decision::Forward };
        let fault = self.plan.rules[index].fault;
        let decision = if fault == Fault::Partial {
            let is_omitted = |index: usize| {
                index as u64 == current % 2 || seeded_hash(self.plan.seed, &[current, index as u64]).is_multiple_of(2)
            };
            match split(call, body, is_omitted) {
                Some(split) => Decision::Split(split),
                None => return Decision::Forward,
            }
        } else if let Fault::Answer { error, retry_after } = fault {
            match service_error(error, call, method, retry_after) {
                Some(response) => Decision::Answer(Box::new(response)),
                None => return Decision::Forward,
            }
        } else {
            Decision::Inject(fault)
        };
        self.hits[index] += 1;
        self.counters.fault(call, fault);
        decision
    }
}

impl App {
    fn injector(&self) -> MutexGuard<'_, Injector> {
        // A panic leaves no partial state.
        self.injector.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> Response {
        let injector = self.injector();
        let body = json!({"plan": injector.plan, "counts": injector.counters.counts()});
        http_server::json_response(StatusCode::OK, &body)
    }

    async fn inject(&self, fault: Fault, call: &Call, parts: &Parts, body: Bytes) -> Response {
        match fault {
            Fault::Refused => abort_after(Bytes::new()),
            Fault::Hang { millis } => {
                tokio::time::sleep(Duration::from_millis(millis).min(MAX_DELAY)).await;
                abort_after(Bytes::new())
            }
            Fault::Late { millis } => {
                tokio::time::sleep(Duration::from_millis(millis).min(MAX_DELAY)).await;
                self.forward(call, parts, body).await
            }
            Fault::LostAnswer => {
                // The request is complete only when the whole response has arrived.
                let (_, body) = self.forward(call, parts, body).await.into_parts();
                drop(axum::body::to_bytes(body, MAX_RESPONSE).await);
                abort_after(Bytes::new())
            }
            Fault::Reset => {
                let (head, body) = self.forward(call, parts, body).await.into_parts();
                let Ok(body) = axum::body::to_bytes(body, MAX_RESPONSE).await else { return abort_after(Bytes::new()) };
                let mut truncated = abort_after(body.slice(..body.len() / 2));
                *truncated.status_mut() = head.status;
                *truncated.headers_mut() = head.headers;
                truncated.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
                // An empty body cannot be truncated.
                if body.is_empty() { abort_after(Bytes::new()) } else { truncated }
            }
            // These have decisions of their own.
            Fault::Partial | Fault::Answer { .. } => self.forward(call, parts, body).await,
        }
    }

    async fn forward_split(&self, split: Split, call: &Call, parts: &Parts) -> Response {
        let response = match split.body.clone() {
            Some(body) => match self.upstreams.resign_and_send(call, parts, body).await {
                Ok(response) => Some(response),
                Err(error) => return upstream_unreachable(&error),
            },
            None => None,
        };
        if let Some(error) = response.as_ref().filter(|response| !response.status.is_success()) {
            return (error.status, error.body.clone()).into_response();
        }
        let Some(body) = split.complete(response.as_ref().map(|response| response.body.as_slice())) else {
            return abort_after(Bytes::new());
        };
        respond(StatusCode::OK, body, response.and_then(|response| response.headers.get(header::CONTENT_TYPE).cloned()))
    }

    async fn forward(&self, call: &Call, parts: &Parts, body: Bytes) -> Response {
        let maximum = self.injector().plan.max_visibility_timeout;
        let response = match maximum.and_then(|maximum| shorten(call, &body, maximum)) {
            Some(body) => self.upstreams.resign_and_send(call, parts, body).await.map(|response| {
                let content_type = response.headers.get(header::CONTENT_TYPE).cloned();
                respond(response.status, response.body, content_type)
            }),
            None => self.upstreams.forward(call, parts, body).await,
        };
        response.unwrap_or_else(|error| upstream_unreachable(&error))
    }
}

async fn proxy(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = Call::from_request(&parts, &body);
    let decision = app.injector().decide(&call, &parts.method, &body);
    match decision {
        Decision::Forward => app.forward(&call, &parts, body).await,
        Decision::Answer(response) => *response,
        Decision::Inject(fault) => {
            let response = app.inject(fault, &call, &parts, body).await;
            // A response to HEAD has no body whose end could be missing: it would be a success without headers.
            if parts.method == Method::HEAD && !matches!(fault, Fault::Late { .. }) {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            response
        }
        Decision::Split(split) => app.forward_split(split, &call, &parts).await,
    }
}

async fn counts(State(app): State<Arc<App>>) -> Response {
    app.counts()
}

async fn set(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match serde_json::from_slice::<FaultPlan>(&body) {
        Ok(plan) => {
            *app.injector() = Injector { hits: vec![0; plan.rules.len()], plan, ..Injector::default() };
            app.counts()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Removes all faults. The counters stay until another plan is set.
async fn clear(State(app): State<Arc<App>>) -> Response {
    app.injector().plan.rules.clear();
    app.counts()
}

fn respond(status: StatusCode, body: Vec<u8>, content_type: Option<HeaderValue>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}

/// Closes the connection, as if the service were unreachable.
fn upstream_unreachable(error: &anyhow::Error) -> Response {
    eprintln!("{error:#}");
    abort_after(Bytes::new())
}

/// Sends `start` and then closes the connection. If `start` is empty, the client receives nothing.
fn abort_after(start: Bytes) -> Response {
    let is_empty = start.is_empty();
    let abort = stream::once(async move {
        // With an empty start, a pause would flush the response's head.
        if !is_empty {
            tokio::time::sleep(FLUSH_DELAY).await;
        }
        Err::<Bytes, _>(std::io::Error::other("injected fault"))
    });
    let start = stream::iter((!is_empty).then_some(Ok(start)));
    Response::new(Body::from_stream(start.chain(abort)))
}
