//! A Streams endpoint with prepared responses.

use std::{
    collections::{HashMap, VecDeque},
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, header},
    response::Response,
    serve::ListenerExt,
};
use flate2::{Compression, write::GzEncoder};
use tokio::net::TcpListener;

/// A prepared response and its delay.
#[derive(Clone)]
pub struct StubResponse {
    status: u16,
    gzip: bool,
    is_truncated: bool,
    body: String,
    delay: Duration,
}

impl StubResponse {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, gzip: false, is_truncated: false, body: body.into(), delay: Duration::ZERO }
    }

    /// An error with Neptune's body.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, format!(r#"{{"requestId":"r-1","code":"{code}","detailedMessage":"{message}"}}"#))
    }

    /// A page of records with these positions.
    pub fn page(positions: &[(u64, u64)]) -> Self {
        let record = |&(commit, op): &(u64, u64)| {
            format!(
                r#"{{"commitTimestamp":1,"eventId":{{"commitNum":{commit},"opNum":{op}}},"op":"ADD","data":{{"id":"v","type":"vl","key":"label","value":{{"value":"story","dataType":"String"}}}}}}"#
            )
        };
        let records: Vec<_> = positions.iter().map(record).collect();
        Self::new(200, format!(r#"{{"format":"PG_JSON","records":[{}]}}"#, records.join(",")))
    }

    pub fn gzipped(self) -> Self {
        Self { gzip: true, ..self }
    }

    /// Truncated gzip.
    pub fn truncated_gzip(self) -> Self {
        Self { is_truncated: true, ..self.gzipped() }
    }

    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

#[derive(Clone)]
pub struct ReceivedRequest {
    pub path: String,
    pub query: HashMap<String, String>,
    pub headers: HeaderMap,
}

impl ReceivedRequest {
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.query.get(parameter).map(String::as_str)
    }
}

#[derive(Clone)]
pub struct Server {
    pub url: String,
    responses: Arc<Mutex<VecDeque<StubResponse>>>,
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// A server that sends these responses in order and repeats the last one.
    pub async fn start(responses: impl Into<Vec<StubResponse>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let responses = Arc::new(Mutex::new(VecDeque::from(responses.into())));
        let server = Self { url, responses, requests: Arc::default(), connections: Arc::default() };
        let connections = Arc::clone(&server.connections);
        let listener = listener.tap_io(move |_| {
            connections.fetch_add(1, Ordering::Relaxed);
        });
        let router = Router::new().fallback(respond).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.requests.lock().expect("no panic").clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn next(&self) -> StubResponse {
        let mut responses = self.responses.lock().expect("no panic");
        let next = if responses.len() > 1 { responses.pop_front() } else { responses.front().cloned() };
        next.expect("a response")
    }
}

async fn respond(State(server): State<Server>, request: Request) -> Response {
    let parameters = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    server.requests.lock().expect("no panic").push(ReceivedRequest {
        path: request.uri().path().to_owned(),
        query: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        headers: request.headers().clone(),
    });
    let prepared = server.next();
    tokio::time::sleep(prepared.delay).await;
    let response = Response::builder().status(prepared.status).header(header::CONTENT_TYPE, "application/json");
    let response = if prepared.gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(prepared.body.as_bytes()).expect("writing to memory");
        let mut body = encoder.finish().expect("writing to memory");
        if prepared.is_truncated {
            body.truncate(body.len() - 4);
        }
        response.header(header::CONTENT_ENCODING, "gzip").body(Body::from(body))
    } else {
        response.body(Body::from(prepared.body))
    };
    response.expect("a response")
}
