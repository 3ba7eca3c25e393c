//! Tries until there is a result, or the time is over.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

/// Time between two tries of a check.
const INTERVAL: Duration = Duration::from_secs(1);

/// Repeats `attempt` until it returns a value. `None` after `timeout`.
pub async fn wait<T>(timeout: Duration, attempt: impl AsyncFn() -> Result<Option<T>>) -> Result<Option<T>> {
    let end = Instant::now() + timeout;
    loop {
        if let Some(value) = attempt().await? {
            return Ok(Some(value));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn check_waits_until_there_is_a_value_or_its_time_is_over() {
        let tries = Cell::new(0);
        let third = async || {
            tries.set(tries.get() + 1);
            Ok((tries.get() == 3).then_some("value"))
        };
        assert_eq!(wait(Duration::from_secs(10), third).await.expect("a result"), Some("value"));
        assert_eq!(wait(Duration::ZERO, async || Ok(None::<()>)).await.expect("a result"), None);
        wait(Duration::from_secs(10), async || -> Result<Option<()>> { anyhow::bail!("broken") })
            .await
            .expect_err("broken");
    }
}
