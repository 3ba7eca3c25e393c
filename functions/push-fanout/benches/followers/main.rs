//! One story, told to a hundred thousand followers with two phones each: the binary as it goes to
//! Lambda, under a Lambda Runtime API, with an AWS that answers at once ([`world`]). So the figures
//! are the function's own.
//!
//! `cargo xtask bench stream` runs it and keeps the figures: one line of JSON.

mod world;

use std::{error::Error, path::Path, time::Instant};

use domain::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position};
use jiff::Timestamp;
use lambda_runtime_api::{Function, Outcome};
use serde_json::{Value, json};
use world::World;

const FOLLOWERS: u64 = 100_000;
const PHONES_EACH: u64 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn Error>> {
    let mut world = World::start(FOLLOWERS, PHONES_EACH).await?;
    let environment = [
        ("AWS_ENDPOINT_URL", world.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_REGION", "ap-northeast-2"),
        ("AUDIENCE_TABLE", world::AUDIENCE),
        ("LEDGER_TABLE", "ledger"),
        ("DEVICES_TABLE", world::DEVICES),
        ("PUSH_QUEUE_URL", "http://queue/push.fifo"),
        ("DEAD_LETTER_QUEUE_URL", "http://queue/dead.fifo"),
    ];
    let mut function = Function::start(Path::new(env!("CARGO_BIN_EXE_push-fanout")), &environment).await?;

    let begin = Instant::now();
    let mut early_memory = 0;
    function.invoke(&batch("story", &story().to_cloud_event("main"))).await?;
    let mut next = Some(told().to_cloud_event("main"));
    let mut pages = 0_u64;
    while let Some(body) = next {
        match function.invoke(&batch(&pages.to_string(), &body)).await? {
            Outcome::Response(answer) if answer["batchItemFailures"] == json!([]) => {}
            answer => return Err(format!("page {pages}: {answer:?}").into()),
        }
        pages += 1;
        if pages == 20 {
            early_memory = function.peak_memory()?;
        }
        next = world.handed_on();
    }
    let seconds = begin.elapsed().as_secs_f64();
    let sent = world.published();
    if sent != FOLLOWERS * PHONES_EACH {
        return Err(format!("{sent} of {} phones were told", FOLLOWERS * PHONES_EACH).into());
    }
    println!(
        "{}",
        json!({
            "row": "one story to 100,000 followers, two phones each; an AWS that answers at once",
            "pages": pages, "messages": sent, "seconds": seconds, "messages_per_second": sent as f64 / seconds,
            "peak_memory_after_20_pages": early_memory, "peak_memory_at_the_end": function.peak_memory()?,
        })
    );
    Ok(())
}

/// What Lambda gives a function for one message.
fn batch(name: &str, body: &str) -> Value {
    let attributes = json!({"MessageGroupId": format!("group-{name}")});
    json!({"Records": [{"messageId": format!("m{name}"), "body": body, "attributes": attributes}]})
}

/// A story that all may see.
fn story() -> Change {
    Change {
        position: Position::new(8, 1),
        kind: EntityKind::Vertex,
        entity_id: "story".to_owned(),
        labels: Labels { added: vec!["story".to_owned()], ..Labels::default() },
        ends: None,
        ..told()
    }
}

/// Somebody tells a story, now.
fn told() -> Change {
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
    }
}
