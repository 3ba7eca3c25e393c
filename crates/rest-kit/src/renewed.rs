//! A value that is read again after some minutes, such as a secret, which may be rotated.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use function_kit::failure::Failure;
use tokio::sync::Mutex;
use tracing::warn;

/// For how long a value that was read is used.
const MAX_AGE: Duration = Duration::from_secs(300);

/// A value that is read when it is first needed, and again five minutes later.
#[derive(Debug)]
pub struct Renewed<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Renewed<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Renewed<T> {
    /// The value. `read` gets the one that is known, and may return it. If it fails, the known one serves for five minutes
    /// more.
    ///
    /// # Errors
    /// The failure of `read`, if no value is known.
    pub async fn get(
        &self,
        now: Instant,
        read: impl AsyncFnOnce(Option<&Arc<T>>) -> Result<Arc<T>, Failure>,
    ) -> Result<Arc<T>, Failure> {
        let mut known = self.0.lock().await;
        if let Some((read_at, value)) = known.as_ref()
            && now.saturating_duration_since(*read_at) < MAX_AGE
        {
            return Ok(Arc::clone(value));
        }
        let before = known.as_ref().map(|(_, value)| value);
        let value = match (read(before).await, before) {
            (Ok(value), _) => value,
            (Err(failure), Some(before)) => {
                warn!(kind = failure.kind.as_str(), %failure, "a secret was not read again");
                Arc::clone(before)
            }
            (Err(failure), None) => return Err(failure),
        };
        *known = Some((now, Arc::clone(&value)));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Gets the value `seconds` after the start; each successful read returns the number of reads so far.
    async fn get(value: &Renewed<u32>, start: Instant, seconds: u64, reads: &Cell<u32>, fails: bool) -> Option<u32> {
        let read = async |_: Option<&Arc<u32>>| {
            reads.set(reads.get() + 1);
            if fails { Err(Failure::bug("read", "no answer")) } else { Ok(Arc::new(reads.get())) }
        };
        value.get(start + Duration::from_secs(seconds), read).await.ok().map(|value| *value)
    }

    #[tokio::test]
    async fn value_is_read_again_after_five_minutes_and_kept_if_that_fails() {
        let (value, start, reads) = (Renewed::default(), Instant::now(), Cell::new(0));
        assert_eq!(get(&value, start, 0, &reads, true).await, None, "nothing is known");
        for (seconds, fails, expected, read) in
            [(0, false, 2, 2), (299, false, 2, 2), (300, true, 2, 3), (599, false, 2, 3), (600, false, 4, 4)]
        {
            assert_eq!(get(&value, start, seconds, &reads, fails).await, Some(expected), "after {seconds} s");
            assert_eq!(reads.get(), read, "after {seconds} s");
        }
    }
}
