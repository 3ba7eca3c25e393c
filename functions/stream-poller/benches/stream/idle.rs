//! Measures the time from a commit to the bus under low load, across handovers.

use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error,
    rc::Rc,
    time::{Duration, Instant},
};

use domain::graph::Change;
use function_kit::{failure::Failure, metrics::Metrics};
use futures_util::future::{join, join_all};
use neptune::Commit;
use serde_json::json;
use stream_poller::{
    Entry,
    event_bus::{Bus, PublishOutcome},
    policy::Policy,
    poller::Poller,
    settings::Settings,
};
use tokio::time::sleep;

use crate::support::{self, memory_table::MemoryTable};

const COMMITS: u32 = 80;
const INVOCATIONS: u32 = 12;

/// The interval of the schedule. It is a minute on AWS, so handovers are rarer there.
const TICK: Duration = Duration::from_secs(8);

/// A bus that records when each vertex arrives.
#[derive(Clone, Default)]
struct ClockBus(Rc<RefCell<HashMap<String, Instant>>>);

impl Bus for ClockBus {
    async fn publish(&self, entries: &[Entry]) -> Vec<PublishOutcome> {
        let now = Instant::now();
        for entry in entries {
            if let Ok(received) = Change::from_cloud_event(&entry.message.body) {
                self.0.borrow_mut().entry(received.change.entity_id).or_insert(now);
            }
        }
        vec![PublishOutcome::Accepted; entries.len()]
    }

    async fn send_to_dlq(&self, _: &Entry, _: &str) -> Result<(), Failure> {
        Err(Failure::bug("send to the dead-letter queue", "this bus rejects nothing"))
    }
}

pub fn measure(endpoint: &str) -> Result<(), Box<dyn Error>> {
    support::block_on(run(endpoint))?
}

async fn run(endpoint: &str) -> Result<(), Box<dyn Error>> {
    let (bus, table) = (ClockBus::default(), MemoryTable::default());
    let mut pollers = Vec::new();
    for _ in 0..INVOCATIONS {
        pollers.push(Poller {
            stream: support::client(endpoint)?,
            bus: bus.clone(),
            checkpoints: table.clone(),
            cluster: "main".to_owned(),
            policy: Policy::default(),
            settings: Settings { metrics_interval: Duration::from_secs(600), ..Settings::default() },
            metrics: Metrics::of("bench"),
        });
    }
    let invocations = join_all((0_u32..).zip(&pollers).map(|(number, poller)| async move {
        sleep(TICK * number).await;
        // As in the template: one and a half intervals, and the margin.
        poller.follow(&number.to_string(), TICK * 3 / 2 + Settings::default().margin).await
    }));
    let write = async {
        let (graph, mut committed) = (neptune::Client::new(endpoint), Vec::new());
        sleep(TICK / 5).await;
        for number in 0..COMMITS {
            // Long enough for the poller's longest delay, and without a common divisor.
            sleep(Duration::from_millis(400 + u64::from(number) * 7919 % 1400)).await;
            let id = format!("v{number}");
            let begin = Instant::now();
            graph.commit(&Commit::new().add_vertex(&id, ["story"])).await?;
            committed.push((id, begin));
        }
        anyhow::Ok(committed)
    };
    let (ended, committed) = join(invocations, write).await;
    for report in ended {
        report?;
    }
    let accepted = bus.0.borrow();
    let mut latencies: Vec<Duration> = Vec::new();
    for (id, begin) in committed? {
        latencies.push(*accepted.get(&id).ok_or("a change is missing")? - begin);
    }
    latencies.sort_unstable();
    let percentile = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    let milliseconds = |share: f64| (percentile(share).as_secs_f64() * 1e3).round();
    let line = json!({
        "row": "commit to accepted by the bus, idle",
        "commits": COMMITS,
        "hand_overs": INVOCATIONS - 1,
        "p50_ms": milliseconds(0.5),
        "p99_ms": milliseconds(0.99),
        "max_ms": milliseconds(1.0),
        "target_p50_ms": 300,
        "target_p99_ms": 1000,
    });
    println!("{line}");
    Ok(())
}
