//! A Streams endpoint that answers what it is told to.

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

/// An answer, and how long it takes.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    gzip: bool,
    damaged: bool,
    body: String,
    delay: Duration,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, gzip: false, damaged: false, body: body.into(), delay: Duration::ZERO }
    }

    /// Neptune's body of an error.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, format!(r#"{{"requestId":"r-1","code":"{code}","detailedMessage":"{message}"}}"#))
    }

    /// A page with these positions.
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

    /// Gzip that breaks off.
    pub fn gzipped_and_cut_off(self) -> Self {
        Self { damaged: true, ..self.gzipped() }
    }

    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// What was asked.
#[derive(Clone)]
pub struct Asked {
    pub path: String,
    pub query: HashMap<String, String>,
    pub headers: HeaderMap,
}

impl Asked {
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.query.get(parameter).map(String::as_str)
    }
}

#[derive(Clone)]
pub struct Server {
    pub url: String,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// A server that gives these answers, the last one over and over.
    pub async fn start(answers: impl Into<Vec<Answer>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.into())));
        let server = Self { url, answers, asked: Arc::default(), connections: Arc::default() };
        let connections = Arc::clone(&server.connections);
        let listener = listener.tap_io(move |_| {
            connections.fetch_add(1, Ordering::Relaxed);
        });
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn next(&self) -> Answer {
        let mut answers = self.answers.lock().expect("no panic");
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        next.expect("an answer")
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let parameters = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    server.asked.lock().expect("no panic").push(Asked {
        path: request.uri().path().to_owned(),
        query: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        headers: request.headers().clone(),
    });
    let answer = server.next();
    tokio::time::sleep(answer.delay).await;
    let response = Response::builder().status(answer.status).header(header::CONTENT_TYPE, "application/json");
    let response = if answer.gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(answer.body.as_bytes()).expect("written");
        let mut body = encoder.finish().expect("compressed");
        if answer.damaged {
            body.truncate(body.len() - 4);
        }
        response.header(header::CONTENT_ENCODING, "gzip").body(Body::from(body))
    } else {
        response.body(Body::from(answer.body))
    };
    response.expect("a response")
}
