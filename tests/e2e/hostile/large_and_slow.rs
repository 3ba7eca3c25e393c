//! Requests that are too large, and requests that are sent slowly.

use std::time::Duration;

use http::Method;
use stack::users::User;
use test_support::wait::TIMEOUT;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::deployed::Deployed;

/// The pause between two bytes of a slow body.
const PAUSE: Duration = Duration::from_millis(50);
/// A slow body: an invalid batch.
const BODY: &[u8] = b"{\"ids\": [\"no item has this id\"], \"fields\": []}";

/// The statuses of requests with a long query, header, id or body.
pub async fn send_large_requests(deployed: &Deployed, user: &User) -> Vec<(&'static str, u16)> {
    let http = reqwest::Client::new();
    let send = async |what: &'static str, method: Method, path: String, header: Option<String>, body: Vec<u8>| {
        let url = deployed.stack.api_url(&path).expect("URL");
        let mut request = http.request(method, url).bearer_auth(&user.access_token);
        request = request.header("content-type", "application/json").body(body);
        if let Some(header) = header {
            request = request.header("idempotency-key", header);
        }
        (what, request.send().await.expect("response").status().as_u16())
    };
    let ids = "01ARZ3NDEKTSV4RRFFQ69G5FAV,".repeat(300);
    vec![
        send("a long query", Method::GET, format!("/v1/search?q={}", "a".repeat(6_000)), None, Vec::new()).await,
        send("many parameters", Method::GET, format!("/v1/media?{}", "x=1&".repeat(1_000)), None, Vec::new()).await,
        send("many fields", Method::GET, format!("/v1/media?fields={ids}"), None, Vec::new()).await,
        send("a long owner", Method::GET, format!("/v1/media?owner={}", "a".repeat(5_000)), None, Vec::new()).await,
        send("a long header", Method::POST, "/v1/uploads".into(), Some("k".repeat(6_000)), b"{}".to_vec()).await,
        send("a long id", Method::GET, format!("/v1/devices/{}", "d".repeat(3_000)), None, Vec::new()).await,
        send("17 kB", Method::PUT, "/v1/devices/phone".into(), None, vec![b' '; 17_000]).await,
        send("1 MB", Method::POST, "/v1/media/batch".into(), None, vec![b'['; 1 << 20]).await,
        send("5 MB", Method::POST, "/v1/uploads".into(), None, vec![0xff; 5 << 20]).await,
    ]
}

/// Requests whose bodies are sent byte by byte. The last byte is held back until [`SlowRequests::finish`].
pub struct SlowRequests {
    requests: Vec<JoinHandle<u16>>,
    finish: watch::Sender<bool>,
}

impl SlowRequests {
    /// Starts `count` requests.
    pub async fn start(deployed: &Deployed, user: &User, count: usize) -> Self {
        let url = deployed.stack.api_url("/v1/media/batch").expect("URL");
        let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("host");
        let head = format!(
            "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            user.access_token,
            BODY.len()
        );
        let (finish, may_finish) = watch::channel(false);
        let mut requests = Vec::new();
        for _ in 0..count {
            let mut stream = TcpStream::connect(host).await.expect("connection");
            stream.write_all(head.as_bytes()).await.expect("sent");
            requests.push(tokio::spawn(send_slowly(stream, may_finish.clone())));
        }
        Self { requests, finish }
    }

    /// Whether no request has a response yet.
    pub fn are_pending(&self) -> bool {
        self.requests.iter().all(|request| !request.is_finished())
    }

    /// Sends the last bytes; returns the statuses.
    pub async fn finish(self) -> Vec<u16> {
        self.finish.send(true).expect("pending requests");
        let mut statuses = Vec::new();
        for request in self.requests {
            let status = timeout(TIMEOUT, request).await.expect("response in time");
            statuses.push(status.expect("status"));
        }
        statuses
    }
}

/// Sends the body byte by byte; returns the response's status.
async fn send_slowly(mut stream: TcpStream, mut may_finish: watch::Receiver<bool>) -> u16 {
    let (last, first) = BODY.split_last().expect("body");
    for byte in first {
        stream.write_all(&[*byte]).await.expect("sent");
        sleep(PAUSE).await;
    }
    may_finish.wait_for(|may_finish| *may_finish).await.expect("the test continues");
    stream.write_all(&[*last]).await.expect("sent");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("response");
    let response = String::from_utf8_lossy(&response);
    response.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("status")
}
