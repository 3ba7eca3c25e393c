//! From a commit to the bus, while little happens, and one invocation hands over to the next.

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
    bus::{Bus, PublishOutcome},
    policy::Policy,
    poller::Poller,
    settings::Settings,
};
use tokio::time::sleep;

use crate::{table::MemoryTable, world};

const COMMITS: u32 = 80;
const INVOCATIONS: u32 = 12;

/// Between the ticks that start an invocation. A real one lasts a minute: hand-overs are rarer.
const TICK: Duration = Duration::from_secs(8);

/// Notes when each vertex came.
#[derive(Clone, Default)]
struct Clock(Rc<RefCell<HashMap<String, Instant>>>);

impl Bus for Clock {
    async fn publish(&self, entries: &[Entry]) -> Vec<PublishOutcome> {
        let now = Instant::now();
        for entry in entries {
            if let Ok(received) = Change::from_cloud_event(&entry.message.body) {
                self.0.borrow_mut().entry(received.change.entity_id).or_insert(now);
            }
        }
        vec![PublishOutcome::Accepted; entries.len()]
    }

    async fn bury(&self, _: &Entry, _: &str) -> Result<(), Failure> {
        Err(Failure::bug("bury", "nothing is refused here"))
    }
}

pub fn measure(endpoint: &str) -> Result<(), Box<dyn Error>> {
    world::block_on(run(endpoint))?
}

async fn run(endpoint: &str) -> Result<(), Box<dyn Error>> {
    let (clock, table) = (Clock::default(), MemoryTable::default());
    let mut pollers = Vec::new();
    for _ in 0..INVOCATIONS {
        pollers.push(Poller {
            stream: world::client(endpoint)?,
            bus: clock.clone(),
            checkpoints: table.clone(),
            cluster: "main".to_owned(),
            policy: Policy::default(),
            settings: Settings { measure_every: Duration::from_secs(600), ..Settings::default() },
            metrics: Metrics::of("bench"),
        });
    }
    let invocations = join_all((0_u32..).zip(&pollers).map(|(number, poller)| async move {
        sleep(TICK * number).await;
        // As in the template: half as long again as a tick, and the margin.
        poller.follow(&number.to_string(), TICK * 3 / 2 + Settings::default().margin).await
    }));
    let write = async {
        let (graph, mut committed) = (neptune::Client::new(endpoint), Vec::new());
        sleep(TICK / 5).await;
        for number in 0..COMMITS {
            // Long enough for the poller's waits to be at their longest, and without a common measure.
            sleep(Duration::from_millis(400 + u64::from(number) * 7919 % 1400)).await;
            let id = format!("v{number}");
            let begin = Instant::now();
            graph.commit(&Commit::new().add_vertex(&id, ["story"])).await?;
            committed.push((id, begin));
        }
        anyhow::Ok(committed)
    };
    let (ended, committed) = join(invocations, write).await;
    for outcome in ended {
        outcome?;
    }
    let accepted = clock.0.borrow();
    let mut waits: Vec<Duration> = Vec::new();
    for (id, begin) in committed? {
        waits.push(*accepted.get(&id).ok_or("a change got lost")? - begin);
    }
    waits.sort_unstable();
    let milliseconds = |share: f64| (waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3).round();
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
