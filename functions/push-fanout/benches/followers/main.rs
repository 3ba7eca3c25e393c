//! Benchmark: one story for 100,000 followers with two phones each. Runs the function's binary with a local Lambda
//! Runtime API and a fake AWS without latency ([`fake_aws`]), so that the figures measure the function alone.
//!
//! `cargo xtask bench stream` runs it and stores the figures, which are printed as one line of JSON.

mod fake_aws;

use std::{error::Error, path::Path, time::Instant};

use domain::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position};
use fake_aws::FakeAws;
use jiff::Timestamp;
use lambda_runtime_api::{Function, Outcome};
use serde_json::{Value, json};

const FOLLOWERS: u64 = 100_000;
const PHONES_PER_FOLLOWER: u64 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn Error>> {
    let mut aws = FakeAws::start(FOLLOWERS, PHONES_PER_FOLLOWER).await?;
    let environment = [
        ("AWS_ENDPOINT_URL", aws.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_REGION", "ap-northeast-2"),
        ("AUDIENCE_TABLE", fake_aws::AUDIENCE),
        ("LEDGER_TABLE", "ledger"),
        ("INBOX_TABLE", "inbox"),
        ("INBOX_READ_TABLE", "inbox-read"),
        ("DEVICES_TABLE", fake_aws::DEVICES),
        ("FOLLOWERS_PER_PAGE", "500"),
        ("PUSH_COOLDOWN", "3600"),
        ("MAX_DEVICE_REMOVALS_PER_HOUR", "100"),
        ("PUSH_QUEUE_URL", "http://queue/push.fifo"),
        ("ERASURE_QUEUE_URL", "http://queue/erasure"),
        ("STORY_FILES_QUEUE_URL", "http://queue/story-files"),
        ("DEAD_LETTER_QUEUE_URL", "http://queue/dead.fifo"),
    ];
    let mut function = Function::start(Path::new(env!("CARGO_BIN_EXE_push-fanout")), &environment).await?;

    let start = Instant::now();
    let mut early_memory = 0;
    function.invoke(&batch("story", &add_story().to_cloud_event("main"))).await?;
    let mut next = Some(publish_story().to_cloud_event("main"));
    let mut pages = 0_u64;
    while let Some(body) = next {
        match function.invoke(&batch(&pages.to_string(), &body)).await? {
            Outcome::Response(response) if response["batchItemFailures"] == json!([]) => {}
            other => return Err(format!("page {pages}: {other:?}").into()),
        }
        pages += 1;
        if pages == 20 {
            early_memory = function.peak_memory()?;
        }
        next = aws.dequeue();
    }
    let seconds = start.elapsed().as_secs_f64();
    let sent = aws.published();
    if sent != FOLLOWERS * PHONES_PER_FOLLOWER {
        return Err(format!("{sent} of {} messages were published", FOLLOWERS * PHONES_PER_FOLLOWER).into());
    }
    println!(
        "{}",
        json!({
            "row": "one story to 100,000 followers, two phones each; fake AWS without latency",
            "pages": pages, "messages": sent, "seconds": seconds, "messages_per_second": sent as f64 / seconds,
            "calls_per_follower": aws.calls() as f64 / FOLLOWERS as f64,
            "peak_memory_after_20_pages": early_memory, "peak_memory_at_the_end": function.peak_memory()?,
        })
    );
    Ok(())
}

/// Batch of one message, as Lambda delivers it.
fn batch(name: &str, body: &str) -> Value {
    let attributes = json!({"MessageGroupId": format!("group-{name}")});
    json!({"Records": [{"messageId": format!("m{name}"), "body": body, "attributes": attributes}]})
}

/// Adds a public story.
fn add_story() -> Change {
    Change {
        position: Position::new(8, 1),
        kind: EntityKind::Vertex,
        entity_id: "story".to_owned(),
        labels: Labels { added: vec!["story".to_owned()], ..Labels::default() },
        ends: None,
        ..publish_story()
    }
}

/// Publishes the story: adds the edge `told` with the current time.
fn publish_story() -> Change {
    Change {
        position: Position::new(9, 1),
        commit_timestamp_ms: Timestamp::now().as_millisecond(),
        kind: EntityKind::Edge,
        entity_id: "told:mina:story".to_owned(),
        change_kind: ChangeKind::Added,
        labels: Labels { added: vec!["told".to_owned()], ..Labels::default() },
        ends: Some(EdgeEndpoints { from: "mina".to_owned(), to: "story".to_owned() }),
        ends_before: None,
        properties: [].into(),
        properties_omitted: 0,
        is_partial: false,
    }
}
