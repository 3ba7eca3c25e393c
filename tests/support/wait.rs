//! Polling for an outcome.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// The limit for an outcome. It only ends failing tests: `cargo xtask test` runs unit tests and chaos at the same time, so
/// a few processors may take minutes. After a deployment, the first changes of the graph wait up to a minute for the
/// poller's schedule.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// The shortest and the longest pause between two probes.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// Polls until `probe` returns a value. Panics after [`TIMEOUT`].
pub async fn wait_for<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    wait_for_within(TIMEOUT, what, probe).await
}

/// Polls until `probe` returns a value. Panics after `limit`.
pub async fn wait_for_within<T>(limit: Duration, what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        let waited = start.elapsed();
        assert!(waited < limit, "timed out waiting for {what}");
        // Most of the load of the tests would be probes of long waits.
        sleep((waited / 8).clamp(PAUSES[0], PAUSES[1])).await;
    }
}

/// Polls until `probe` returns `true`. Panics after [`TIMEOUT`].
pub async fn wait_until(what: &str, mut probe: impl AsyncFnMut() -> bool) {
    wait_for(what, async || probe().await.then_some(())).await;
}
