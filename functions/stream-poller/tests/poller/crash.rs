use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use stream_poller::{policy::Mode, run_outcome::RunOutcome};

use crate::{
    random::Random,
    test_env::{TEST_TIMEOUT, TestEnv, assert_changes_equal_graph, commits},
};

/// A future that stops after a number of polls, wherever it waits then.
pub struct CrashAfter<F> {
    pub inner: Pin<Box<F>>,
    pub polls: u64,
}

impl<F: Future> Future for CrashAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}

/// Crashes pollers while they wait for a page, the bus or the table, and commits meanwhile. Returns the number of
/// crashes.
async fn run_with_crashes(seed: u64) -> usize {
    let env = TestEnv::new();
    env.bus.set_latency(Duration::from_millis(1));
    env.bus.inject_failures(seed);
    let mut random = Random::new(seed);
    let mut crashes = 0;
    let mut history = commits(seed, 30).into_iter();
    for round in 0.. {
        for commit in history.by_ref().take(3) {
            env.commit(&commit).await;
        }
        let poller = env.poller(Mode::Drain);
        let run = Box::pin(async { poller.follow(&format!("owner {round}"), TEST_TIMEOUT).await });
        match (CrashAfter { inner: run, polls: 1 + random.below(60) }).await {
            None => {
                crashes += 1;
                env.table.expire();
            }
            Some(report) => {
                assert_eq!(report.expect("a report").outcome, RunOutcome::Drained);
                if history.len() == 0 {
                    break;
                }
            }
        }
        // Ensures that the test ends.
        if round > 300 {
            env.bus.stop_failures();
            env.bus.set_latency(Duration::ZERO);
            env.drain().await.expect("a report");
            break;
        }
    }
    assert_eq!(env.bus.by_group(), env.expected().await, "seed {seed}");
    assert_changes_equal_graph(&env).await;
    let writes = env.table.writes();
    assert!(writes.is_sorted(), "seed {seed}: the checkpoint moved back, or an old epoch wrote: {writes:?}");
    crashes
}

#[tokio::test]
async fn crashes_lose_no_change_and_keep_the_order() {
    let mut crashes = 0;
    for seed in 1..=12 {
        crashes += run_with_crashes(seed).await;
    }
    assert!(crashes > 50, "only {crashes} crashes");
}
