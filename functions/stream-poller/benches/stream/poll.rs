//! Measures the whole poller with a bus that accepts everything at once.

use std::{
    cell::Cell,
    error::Error,
    time::{Duration, Instant},
};

use function_kit::{failure::Failure, metrics::Metrics};
use serde_json::json;
use stream_poller::{
    Entry,
    event_bus::{Bus, PublishOutcome},
    policy::{Mode, Policy},
    poller::Poller,
    settings::Settings,
};

use crate::{
    size::{RECORDS, ROUNDS},
    support::{self, memory_table::MemoryTable},
};

/// A bus that accepts everything.
#[derive(Default)]
struct NullBus {
    bytes: Cell<u64>,
}

impl Bus for NullBus {
    async fn publish(&self, entries: &[Entry]) -> Vec<PublishOutcome> {
        let bytes: usize = entries.iter().map(|entry| entry.message.body.len()).sum();
        self.bytes.set(self.bytes.get() + bytes as u64);
        vec![PublishOutcome::Accepted; entries.len()]
    }

    async fn send_to_dlq(&self, _: &Entry, _: &str) -> Result<(), Failure> {
        Err(Failure::bug("send to the dead-letter queue", "this bus rejects nothing"))
    }
}

pub fn measure(endpoint: &str) -> Result<(), Box<dyn Error>> {
    let (mut best, mut processor, mut changes, mut bytes) = (f64::MAX, f64::MAX, 0, 0);
    for _ in 0..ROUNDS {
        let poller = Poller {
            stream: support::client(endpoint)?,
            bus: NullBus::default(),
            checkpoints: MemoryTable::default(),
            cluster: "main".to_owned(),
            policy: Policy { mode: Mode::Drain, ..Policy::default() },
            // Long, so that metrics are not written between the figures.
            settings: Settings { metrics_interval: Duration::from_secs(600), ..Settings::default() },
            metrics: Metrics::of("bench"),
        };
        let (begin, begin_processor) = (Instant::now(), support::processor_time()?);
        let report = support::block_on(poller.follow("bench", Duration::from_secs(120)))??;
        best = best.min(begin.elapsed().as_secs_f64());
        processor = processor.min((support::processor_time()? - begin_processor).as_secs_f64());
        (changes, bytes) = (report.published.changes, poller.bus.bytes.get());
        if changes < RECORDS / 2 {
            return Err(format!("{changes} changes only, ended: {}", report.outcome.as_str()).into());
        }
    }
    let line = json!({
        "row": "the poller process, null bus",
        "records": RECORDS,
        "records_per_second": (RECORDS as f64 / best) as u64,
        "records_per_processor_second": (RECORDS as f64 / processor) as u64,
        "changes": changes,
        "bytes_per_change": bytes / changes,
        "peak_memory_mb": support::peak_memory()?.round(),
        "target": 480_000,
    });
    println!("{line}");
    Ok(())
}
