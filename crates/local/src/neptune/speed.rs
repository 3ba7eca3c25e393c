//! How fast the emulator answers a reader, so that it is not what a reader's benchmark measures:
//!
//! ```text
//! cargo test --release --package local neptune::speed -- --ignored --nocapture
//! ```

use std::{io::Read as _, time::Instant};

use serde::Deserialize;

use super::*;

const RECORDS: u64 = 1_000_000;

/// Commits of four records each.
async fn fill(client: &Client) {
    let mut written = client.commit(&Commit::new().add_vertex("author", ["person"])).await.unwrap().records;
    while written < RECORDS {
        let (person, follow) = (format!("person-{written}"), format!("follow-{written}"));
        let commit = Commit::new()
            .add_vertex(&person, ["person"])
            .set(&person, "name", "미나")
            .add_edge(&follow, "follows", &person, "author")
            .set(&follow, "since", Value::Date(1_560_011_610_678));
        written += client.commit(&commit).await.unwrap().records;
    }
}

/// Only what a reader needs to go on: parsing records is its own affair.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    last_event_id: EventId,
    #[serde(rename = "records")]
    _records: serde::de::IgnoredAny,
    total_records: u64,
}

#[tokio::test]
#[ignore = "a benchmark, for a release build: see the top of this file"]
async fn records_per_second() {
    let emulator = NeptuneEmulator::start(Options::default()).unwrap();
    let begin = Instant::now();
    fill(&emulator.client()).await;
    println!("{RECORDS} records committed in {:.1} s, four at a time", begin.elapsed().as_secs_f64());
    let http = reqwest::Client::new();
    for (encoding, limit) in [("identity", 1_000), ("identity", 10_000), ("identity", 100_000), ("gzip", 100_000)] {
        let (mut seen, mut bytes, mut seconds) = (0, 0, 0.0);
        let mut position = "iteratorType=TRIM_HORIZON".to_owned();
        while seen < RECORDS {
            let url = format!("{}/propertygraph/stream?{position}&limit={limit}", emulator.endpoint());
            let begin = Instant::now();
            let answer = http.get(url).header("accept-encoding", encoding).send().await.unwrap();
            let mut body = answer.error_for_status().unwrap().bytes().await.unwrap().to_vec();
            // What this reader does with a page is not the emulator's time.
            seconds += begin.elapsed().as_secs_f64();
            bytes += body.len();
            if encoding == "gzip" {
                let compressed = std::mem::take(&mut body);
                flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut body).unwrap();
            }
            let page: Page = serde_json::from_slice(&body).unwrap();
            let EventId { commit_num, op_num } = page.last_event_id;
            position = format!("iteratorType=AFTER_SEQUENCE_NUMBER&commitNum={commit_num}&opNum={op_num}");
            seen += page.total_records;
        }
        let rate = seen as f64 / seconds;
        println!("{encoding:>8}, limit {limit:>6}: {rate:>9.0} records/s, {:>5.0} MB/s", bytes as f64 / seconds / 1e6);
    }
}
