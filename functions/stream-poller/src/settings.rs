//! Times and bounds of a run. They follow from Neptune, Lambda and SNS, so they are constants and not parameters of
//! the template. Tests use shorter times.

use std::time::Duration;

use neptune_streams::{Bounds, MAX_LIMIT};

use crate::retry_delay::Backoff;

/// Times and bounds of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The delay between two reads of an idle stream. On average a commit waits half of the longest delay. The target
    /// from commit to bus is 300 ms.
    pub idle: Backoff,
    /// The delay between two attempts at Neptune and at the bus.
    pub backoff: Backoff,
    /// The longest time for a gap to heal.
    pub gap_grace: Duration,
    /// The longest time with a head before the checkpoint. A lagging replica catches up within it; later it is a reset.
    pub reset_grace: Duration,
    /// The time without a response after which the stream is compared with the last commit read. A reset takes longer.
    pub compare_after: Duration,
    /// The longest time with a head ahead of an idle stream. After it, the records in between count as expired.
    pub expiry_grace: Duration,
    /// The interval between requests for the head while pages are read.
    pub head_interval: Duration,
    /// The interval between checks of the lease.
    pub lease_check_interval: Duration,
    /// The shortest time between two writes of the checkpoint while messages are being published.
    pub checkpoint_interval: Duration,
    /// The interval between writes of the metrics.
    pub metrics_interval: Duration,
    /// The interval between a waiting successor's attempts to acquire the lease.
    pub acquire_interval: Duration,
    /// The validity of a request for the handover. After it, the successor counts as dead.
    pub handover_request_ttl: Duration,
    /// The time before the deadline in which a run takes no more pages and starts no more calls.
    pub margin: Duration,
    /// The part of the margin that is reserved for the last checkpoint and the release of the lease.
    pub final_margin: Duration,
    /// The time for which the lease outlives the deadline. More than clocks differ.
    pub lease_margin: Duration,
    /// The time for which the stream keeps records.
    pub retention: Duration,
    /// The most records per request.
    pub page_limit: u32,
    /// The most of a transaction that is held in memory, also as messages. **A larger transaction is cut into parts at
    /// these bounds. The changes of a part depend on the cut, so the bounds must be the same when it is read again.** They
    /// are counted from the records' texts, not from memory, so they do not depend on the build.
    pub bounds: Bounds,
    /// No further transaction is processed while the outbox has this many bytes. Enough to fill all calls, and small
    /// enough for the CPU cache.
    pub max_outbox_bytes: usize,
    /// The most concurrent calls to the bus.
    pub max_calls: usize,
    /// The most consecutive rejections of messages. More are an error of the bus, not of the messages.
    pub max_consecutive_rejections: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let (millis, secs) = (Duration::from_millis, Duration::from_secs);
        Self {
            idle: Backoff::new(millis(50), millis(300), 1.25),
            backoff: Backoff::new(millis(100), secs(5), 2.0),
            gap_grace: secs(30),
            reset_grace: secs(10),
            compare_after: secs(2),
            expiry_grace: secs(5),
            head_interval: secs(10),
            lease_check_interval: millis(500),
            checkpoint_interval: millis(500),
            metrics_interval: secs(15),
            acquire_interval: millis(50),
            handover_request_ttl: secs(3),
            margin: secs(10),
            final_margin: secs(4),
            lease_margin: secs(5),
            retention: secs(7 * 24 * 60 * 60),
            page_limit: MAX_LIMIT,
            bounds: Bounds { max_records: 20_000, max_bytes: 16 << 20 },
            max_outbox_bytes: 1 << 20,
            max_calls: 16,
            max_consecutive_rejections: 10,
        }
    }
}
