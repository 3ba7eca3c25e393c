//! Requests that are too large, and such as take their time.

use std::time::Duration;

use http::Method;
use local::users::User;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::support::{Deployed, PATIENCE};

/// Between two bytes of a body that is slow.
const PAUSE: Duration = Duration::from_millis(50);
/// Of a body that is slow.
const BODY: &[u8] = b"{\"ids\": [\"nobody has such an id\"], \"fields\": []}";

/// What is answered to requests with too much of something.
pub async fn oversized(deployed: &Deployed, user: &User) -> Vec<(&'static str, u16)> {
    let http = reqwest::Client::new();
    let ask = async |what: &'static str, method: Method, path: String, header: Option<String>, body: Vec<u8>| {
        let url = deployed.stack.api(&path).expect("an address");
        let mut request = http.request(method, url).bearer_auth(&user.access_token);
        request = request.header("content-type", "application/json").body(body);
        if let Some(header) = header {
            request = request.header("idempotency-key", header);
        }
        (what, request.send().await.expect("an answer").status().as_u16())
    };
    let ids = "01ARZ3NDEKTSV4RRFFQ69G5FAV,".repeat(300);
    vec![
        ask("a long query", Method::GET, format!("/v1/search?q={}", "a".repeat(6_000)), None, Vec::new()).await,
        ask("many parameters", Method::GET, format!("/v1/media?{}", "x=1&".repeat(1_000)), None, Vec::new()).await,
        ask("many fields", Method::GET, format!("/v1/media?fields={ids}"), None, Vec::new()).await,
        ask("a long owner", Method::GET, format!("/v1/media?owner={}", "a".repeat(5_000)), None, Vec::new()).await,
        ask("a long header", Method::POST, "/v1/uploads".into(), Some("k".repeat(6_000)), b"{}".to_vec()).await,
        ask("a long id", Method::GET, format!("/v1/devices/{}", "d".repeat(3_000)), None, Vec::new()).await,
        ask("17 kB", Method::PUT, "/v1/devices/phone".into(), None, vec![b' '; 17_000]).await,
        ask("1 MB", Method::POST, "/v1/media/batch".into(), None, vec![b'['; 1 << 20]).await,
        ask("5 MB", Method::POST, "/v1/uploads".into(), None, vec![0xff; 5 << 20]).await,
    ]
}

/// Requests whose bodies come byte by byte, and the last byte only when they are to end.
pub struct Slow {
    requests: Vec<JoinHandle<u16>>,
    ending: watch::Sender<bool>,
}

impl Slow {
    /// Begins `count` of them.
    pub async fn begin(deployed: &Deployed, user: &User, count: usize) -> Self {
        let url = deployed.stack.api("/v1/media/batch").expect("an address");
        let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a host");
        let head = format!(
            "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            user.access_token,
            BODY.len()
        );
        let (ending, may_end) = watch::channel(false);
        let mut requests = Vec::new();
        for _ in 0..count {
            let mut stream = TcpStream::connect(host).await.expect("a connection");
            stream.write_all(head.as_bytes()).await.expect("sent");
            requests.push(tokio::spawn(drip(stream, may_end.clone())));
        }
        Self { requests, ending }
    }

    /// Whether none has been answered yet.
    pub fn is_under_way(&self) -> bool {
        self.requests.iter().all(|request| !request.is_finished())
    }

    /// What is answered to each in the end.
    pub async fn end(self) -> Vec<u16> {
        self.ending.send(true).expect("requests that wait");
        let mut statuses = Vec::new();
        for request in self.requests {
            let status = timeout(PATIENCE, request).await.expect("an end");
            statuses.push(status.expect("a request that ended well"));
        }
        statuses
    }
}

/// Sends the body byte by byte; the answer's status.
async fn drip(mut stream: TcpStream, mut may_end: watch::Receiver<bool>) -> u16 {
    let (last, first) = BODY.split_last().expect("a body");
    for byte in first {
        stream.write_all(&[*byte]).await.expect("sent");
        sleep(PAUSE).await;
    }
    may_end.wait_for(|may_end| *may_end).await.expect("the test goes on");
    stream.write_all(&[*last]).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let line = String::from_utf8_lossy(&answer);
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}
