#[path = "../../tests/poller/memory_table.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
pub mod memory_table;

use std::{
    error::Error,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use neptune::{Commit, Value};
use neptune_streams::Client;

pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T, std::io::Error> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// Commits of eight records: two new people who follow the author.
pub async fn fill(client: &neptune::Client, records: u64) {
    let mut written = client.commit(&Commit::new().add_vertex("author", ["person"])).await.expect("a commit").records;
    while written < records {
        let mut commit = Commit::new();
        for number in [written, written + 1] {
            // As long as Neptune's ids.
            let (person, follow) =
                (format!("{number:08x}-0d0f-218b-f68b-2aa7b0b1904a"), format!("follow-{number:010}"));
            commit = commit
                .add_vertex(&person, ["person"])
                .set(&person, "name", "미나")
                .add_edge(&follow, "follows", &person, "author")
                .set(&follow, "since", Value::Date(1_560_011_610_678));
        }
        written += client.commit(&commit).await.expect("a commit").records;
    }
}

/// The body of a response without gzip.
pub fn get(endpoint: &str, query: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let address = endpoint.strip_prefix("http://").ok_or("the endpoint is not plain HTTP")?;
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /propertygraph/stream?{query} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    let head = response.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("a response without a body")?;
    if !response.starts_with(b"HTTP/1.0 200") && !response.starts_with(b"HTTP/1.1 200") {
        return Ok(Vec::new());
    }
    Ok(response.split_off(head + 4))
}

pub fn client(endpoint: &str) -> Result<Client, Box<dyn Error>> {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("AKIDEXAMPLE", "secret", None)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::standard())
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(10)).build())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .build();
    Ok(Client::new(&config, endpoint)?)
}

/// The CPU time of this thread (Linux: proc(5), `/proc/<pid>/schedstat`).
pub fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().unwrap_or_default().parse()?))
}

/// The peak memory of this process, in MB.
pub fn peak_memory() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0 / 1e6)
}
