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
    http::{HeaderValue, StatusCode, header, request::Parts},
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
    visibility_timeout::shorten,
    plan::{FaultPlan, matching_rule, seeded_hash},
    service_error::{ServiceError, service_error},
    upstream::Upstreams,
};

/// The longest that a request hangs: longer than any function waits for a call.
const LONGEST_HANG: Duration = Duration::from_secs(60);
/// An answer's start is sent when nothing more comes for a moment; an error at once would take it along.
const FLUSH_DELAY: Duration = Duration::from_millis(20);
/// The most of a request that is read, in bytes: originals go around this, by the client's own address.
const MAX_REQUEST: usize = 512 << 20;
/// The most of an answer that is read to break it off, in bytes.
const MAX_ANSWER: usize = 512 << 20;

/// A running fault proxy, which ends with this value.
#[derive(Debug)]
pub struct FaultProxy(Server);

impl FaultProxy {
    /// Starts a proxy on loopback, without any faults. It answers when this returns; what it hands
    /// requests on to may come later.
    pub fn start(options: &Options) -> Result<Self> {
        let app = Arc::new(App { upstreams: Upstreams::new(options)?, state: Mutex::default() });
        let router = |_| {
            Router::new()
                .route("/_faults", get(counts).put(set).delete(clear))
                .fallback(pass)
                .layer(DefaultBodyLimit::disable())
                .with_state(app)
        };
        Ok(Self(Server::start("faults", options.port, router)?))
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// A client of its control calls.
    pub fn client(&self) -> Client {
        Client::new(self.endpoint())
    }
}

/// `cargo xtask faults`: runs a proxy until SIGTERM or Ctrl-C.
pub async fn run(options: Options) -> Result<()> {
    serve_until_shutdown(|| FaultProxy::start(&options), FaultProxy::endpoint).await
}

struct App {
    upstreams: Upstreams,
    state: Mutex<State>,
}

/// The plan, and how far it has come.
#[derive(Default)]
struct State {
    plan: FaultPlan,
    /// How often each rule has hits.
    hits: Vec<u32>,
    /// How many requests there were for each operation, since the plan was set.
    numbers: HashMap<Call, u64>,
    counters: Counters,
}

/// What is to happen to a request.
enum Decision {
    Forward,
    Inject(Fault),
    Split(Split),
}

impl State {
    fn decision(&mut self, call: &Call, body: &[u8]) -> Decision {
        self.counters.request(call);
        let number = self.numbers.entry(call.clone()).or_default();
        let this = *number;
        *number += 1;
        let Some(index) = matching_rule(&self.plan, &self.hits, call, this) else { return Decision::Forward };
        let fault = self.plan.rules[index].fault;
        let decision = if fault == Fault::Partial {
            let out = |place: usize| {
                place as u64 == this % 2 || seeded_hash(self.plan.seed, &[this, place as u64]).is_multiple_of(2)
            };
            match split(call, body, out) {
                Some(split) => Decision::Split(split),
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
    fn state(&self) -> MutexGuard<'_, State> {
        // No operation leaves it in pieces when it panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> Response {
        let state = self.state();
        http_server::json_response(StatusCode::OK, &json!({"plan": state.plan, "counts": state.counters.counts()}))
    }

    async fn inject(&self, fault: Fault, call: &Call, parts: &Parts, body: Bytes) -> Response {
        let refuse = |of, retry_after| service_error(of, call, &parts.method, retry_after);
        match fault {
            Fault::Refused => broken(Bytes::new()),
            Fault::Hang { millis } => {
                tokio::time::sleep(Duration::from_millis(millis).min(LONGEST_HANG)).await;
                broken(Bytes::new())
            }
            Fault::Late { millis } => {
                tokio::time::sleep(Duration::from_millis(millis).min(LONGEST_HANG)).await;
                self.forward(call, parts, body).await
            }
            Fault::Answer { status, retry_after } => refuse(ServiceError::Unable(status), retry_after),
            Fault::ExpiredCredentials => refuse(ServiceError::Expired, None),
            Fault::LostAnswer => {
                // Only a whole answer says that all of it is done.
                let (_, body) = self.forward(call, parts, body).await.into_parts();
                drop(axum::body::to_bytes(body, MAX_ANSWER).await);
                broken(Bytes::new())
            }
            Fault::Reset => {
                let (head, body) = self.forward(call, parts, body).await.into_parts();
                let Ok(body) = axum::body::to_bytes(body, MAX_ANSWER).await else { return broken(Bytes::new()) };
                let mut answer = broken(body.slice(..body.len() / 2));
                *answer.status_mut() = head.status;
                *answer.headers_mut() = head.headers;
                answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
                // What is empty cannot break off in its middle.
                if body.is_empty() { broken(Bytes::new()) } else { answer }
            }
            // A batch that can be done in part does not come here.
            Fault::Partial => self.forward(call, parts, body).await,
        }
    }

    async fn forward_split(&self, split: Split, call: &Call, parts: &Parts) -> Response {
        let answer = match split.body.clone() {
            Some(body) => match self.upstreams.resign_and_send(call, parts, body).await {
                Ok(answer) => Some(answer),
                Err(error) => return upstream_unreachable(&error),
            },
            None => None,
        };
        let refused = answer.as_ref().filter(|answer| !answer.status.is_success());
        if let Some(refused) = refused {
            return (refused.status, refused.body.clone()).into_response();
        }
        let Some(body) = split.complete(answer.as_ref().map(|answer| answer.body.as_slice())) else {
            return broken(Bytes::new());
        };
        answered(StatusCode::OK, body, answer.and_then(|answer| answer.headers.get(header::CONTENT_TYPE).cloned()))
    }

    async fn forward(&self, call: &Call, parts: &Parts, body: Bytes) -> Response {
        let longest = self.state().plan.max_visibility_timeout;
        let answer = match longest.and_then(|longest| shorten(call, &body, longest)) {
            Some(body) => self.upstreams.resign_and_send(call, parts, body).await.map(|answer| {
                let content_type = answer.headers.get(header::CONTENT_TYPE).cloned();
                answered(answer.status, answer.body, content_type)
            }),
            None => self.upstreams.forward(call, parts, body).await,
        };
        answer.unwrap_or_else(|error| upstream_unreachable(&error))
    }
}

async fn pass(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = Call::from_request(&parts, &body);
    let decision = app.state().decision(&call, &body);
    match decision {
        Decision::Forward => app.forward(&call, &parts, body).await,
        Decision::Inject(fault) => app.inject(fault, &call, &parts, body).await,
        Decision::Split(split) => app.forward_split(split, &call, &parts).await,
    }
}

async fn counts(State(app): State<Arc<App>>) -> Response {
    app.counts()
}

async fn set(State(app): State<Arc<App>>, body: Bytes) -> Response {
    match serde_json::from_slice::<FaultPlan>(&body) {
        Ok(plan) => {
            let mut state = app.state();
            *state = State { hits: vec![0; plan.rules.len()], plan, ..State::default() };
            drop(state);
            app.counts()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Ends all faults; the counts stay until another plan is set.
async fn clear(State(app): State<Arc<App>>) -> Response {
    app.state().plan.rules.clear();
    app.counts()
}

fn answered(status: StatusCode, body: Vec<u8>, content_type: Option<HeaderValue>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}

/// Nobody is there, as with AWS when it is out of reach.
fn upstream_unreachable(error: &anyhow::Error) -> Response {
    eprintln!("what plays AWS does not answer: {error:#}");
    broken(Bytes::new())
}

/// `start`, and then the connection ends: without a start, before the answer's first byte.
fn broken(start: Bytes) -> Response {
    let is_nothing = start.is_empty();
    let broken = stream::once(async move {
        // Without a start, any pause would send the head.
        if !is_nothing {
            tokio::time::sleep(FLUSH_DELAY).await;
        }
        Err::<Bytes, _>(std::io::Error::other("an answer is to be lost"))
    });
    let start = stream::iter((!is_nothing).then_some(Ok(start)));
    Response::new(Body::from_stream(start.chain(broken)))
}
