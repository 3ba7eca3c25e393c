use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use stream_poller::{policy::Mode, stop::RunOutcome};

use crate::world::{LONG, Random, World, assert_tells_the_graph, commits};

/// A future that is gone after so many polls: wherever it waits then, it never goes on.
struct Mortal<F> {
    inner: Pin<Box<F>>,
    polls: u64,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}

/// Pollers die wherever they wait (for a page, for the bus, for the table), while writes go on.
async fn survives(seed: u64) -> usize {
    let world = World::new();
    world.bus.set_latency(Duration::from_millis(1));
    world.bus.trouble(seed);
    let mut random = Random::new(seed);
    let mut crashes = 0;
    let mut history = commits(seed, 30).into_iter();
    for round in 0.. {
        for commit in history.by_ref().take(3) {
            world.commit(&commit).await;
        }
        let poller = world.poller(Mode::Drain);
        let life = Box::pin(async { poller.follow(&format!("owner {round}"), LONG).await });
        match (Mortal { inner: life, polls: 1 + random.below(60) }).await {
            None => {
                crashes += 1;
                world.table.expire();
            }
            Some(outcome) => {
                assert_eq!(outcome.expect("drained").ending, RunOutcome::Drained);
                if history.len() == 0 {
                    break;
                }
            }
        }
        // Or it might never come to an end.
        if round > 300 {
            world.bus.calm();
            world.bus.set_latency(Duration::ZERO);
            world.drain().await.expect("drained");
            break;
        }
    }
    assert_eq!(world.bus.by_group(), world.expected().await, "seed {seed}");
    assert_tells_the_graph(&world).await;
    let writes = world.table.writes();
    assert!(writes.is_sorted(), "seed {seed}: the checkpoint went back, or an old epoch wrote: {writes:?}");
    crashes
}

#[tokio::test]
async fn crashes_lose_nothing_and_put_nothing_out_of_order() {
    let mut crashes = 0;
    for seed in 1..=12 {
        crashes += survives(seed).await;
    }
    assert!(crashes > 50, "only {crashes}");
}
