//! Times and bounds. Parameters of the template are few; these are what follows from how Neptune,
//! Lambda and SNS are. Tests make them short.

use std::time::Duration;

use neptune_streams::{Bounds, MAX_LIMIT};

use crate::backoff::Pace;

/// Times and bounds of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Between two reads of an idle stream. At its longest wait, a commit waits half of it on
    /// average, which leaves enough of 300 ms for a page to be read and published.
    pub idle: Pace,
    /// Between two tries of what failed, at Neptune and at the bus.
    pub backoff: Pace,
    /// How long a gap may take to heal.
    pub hold_gap: Duration,
    /// How long a replica may lag before it is taken for a stream that began anew.
    pub hold_reset: Duration,
    /// How long the stream may be ahead and still show nothing, before that is taken for expiry.
    pub hold_expiry: Duration,
    /// How often the head is asked for while there is more to read.
    pub probe_every: Duration,
    /// How old the knowledge of the lease may become.
    pub look_every: Duration,
    /// How often the checkpoint moves, at most, while there is more to publish.
    pub checkpoint_every: Duration,
    /// How often metrics are written.
    pub measure_every: Duration,
    /// How often who waits for a lease tries to take it.
    pub take_every: Duration,
    /// How long asking for the lease counts, and so how long one who asked may not have come.
    pub ask_for: Duration,
    /// Before the deadline, no more pages are taken and no more calls begun.
    pub margin: Duration,
    /// Of the margin, what is left for the last checkpoint and for giving the lease back.
    pub last_margin: Duration,
    /// How long the lease outlives the deadline: more than clocks differ.
    pub lease_margin: Duration,
    /// How long the stream keeps records.
    pub retention: Duration,
    /// How many records to ask for at a time.
    pub page_limit: u32,
    /// How much of a transaction is held. **A part's changes depend on where it is cut, so these must
    /// be the same whenever a part is read again.** All of a part is held as messages at a time, too.
    pub bounds: Bounds,
    /// How many bytes of messages wait before the next transaction is looked at: enough for all
    /// calls to be full, and little enough to stay in a processor's cache.
    pub max_outbox_bytes: usize,
    /// Calls to the bus at a time.
    pub max_calls: usize,
    /// How many messages in a row the bus may refuse before that is taken for the bus's own fault.
    pub max_refused_in_a_row: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let (millis, secs) = (Duration::from_millis, Duration::from_secs);
        Self {
            idle: Pace::new(millis(50), millis(300), 1.25),
            backoff: Pace::new(millis(100), secs(5), 2.0),
            hold_gap: secs(30),
            hold_reset: secs(10),
            hold_expiry: secs(5),
            probe_every: secs(10),
            look_every: millis(500),
            checkpoint_every: millis(500),
            measure_every: secs(15),
            take_every: millis(50),
            ask_for: secs(3),
            margin: secs(10),
            last_margin: secs(4),
            lease_margin: secs(5),
            retention: secs(7 * 24 * 60 * 60),
            page_limit: MAX_LIMIT,
            bounds: Bounds { max_records: 20_000, max_bytes: 16 << 20 },
            max_outbox_bytes: 1 << 20,
            max_calls: 16,
            max_refused_in_a_row: 10,
        }
    }
}
