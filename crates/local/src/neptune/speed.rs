//! How fast the emulator answers a reader, so that it is not what a reader's benchmark measures:
//!
//! ```text
//! cargo test --release --package local neptune::speed -- --ignored --nocapture
//! ```

use std::time::Instant;

use super::*;

/// Commits of four records each; answers how many records that makes.
async fn fill(client: &Client, records: u64) -> u64 {
    let mut written = client.commit(&Commit::new().add_vertex("author", ["person"])).await.unwrap().records;
    while written < records {
        let (person, follow) = (format!("person-{written}"), format!("follow-{written}"));
        let commit = Commit::new()
            .add_vertex(&person, ["person"])
            .set(&person, "name", "미나")
            .add_edge(&follow, "follows", &person, "author")
            .set(&follow, "since", Value::Date(1_560_011_610_678));
        written += client.commit(&commit).await.unwrap().records;
    }
    written
}

#[tokio::test]
#[ignore = "a benchmark"]
async fn pages_per_second() {
    let emulator = NeptuneEmulator::start(Options::default()).unwrap();
    let begin = Instant::now();
    let records = fill(&emulator.client(), 1_000_000).await;
    println!("{records} records committed in {:.1} s", begin.elapsed().as_secs_f64());
    let http = reqwest::Client::new();
    for limit in [1_000, 10_000, 100_000] {
        let (mut seen, mut bytes, mut pages) = (0, 0, 0_u64);
        let mut position = "iteratorType=TRIM_HORIZON".to_owned();
        let begin = Instant::now();
        while seen < records {
            let url = format!("{}/propertygraph/stream?{position}&limit={limit}", emulator.endpoint());
            let page = http.get(url).send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
            // Only what a reader needs to go on: parsing is its own affair.
            let end = String::from_utf8_lossy(&page[page.len() - 40..]).into_owned();
            let total = end.rsplit_once("totalRecords\":").unwrap().1.trim_end_matches('}');
            let start = String::from_utf8_lossy(&page[..120]).into_owned();
            let number = |name: &str| {
                let rest = start.split_once(name).unwrap().1;
                rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<u64>().unwrap()
            };
            let (commit, op) = (number("commitNum\":"), number("opNum\":"));
            position = format!("iteratorType=AFTER_SEQUENCE_NUMBER&commitNum={commit}&opNum={op}");
            seen += total.parse::<u64>().unwrap();
            bytes += page.len();
            pages += 1;
        }
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "limit {limit:>6}: {:>9.0} records/s, {:>5.0} MB/s, {pages} pages of {:.0} bytes per record",
            seen as f64 / seconds,
            bytes as f64 / seconds / 1e6,
            bytes as f64 / seen as f64
        );
    }
}
