use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join;
use stream_poller::{policy::Mode, stop::RunOutcome};
use tokio::time::sleep;

use crate::world::{LONG, World, assert_tells_the_graph, change, hasty};

#[tokio::test]
async fn a_successor_takes_over_without_a_gap() {
    let world = World::new();
    let (first, second, third) = (world.poller(Mode::Follow), world.poller(Mode::Follow), world.poller(Mode::Drain));
    let mut committed = BTreeMap::new();
    let write = async {
        for number in 1..=60 {
            committed.insert(format!("p{number}"), Instant::now());
            world.add_person(number).await;
            sleep(Duration::from_millis(10)).await;
        }
        third.follow("third", LONG).await
    };
    let follow_second = async {
        sleep(Duration::from_millis(300)).await;
        second.follow("second", LONG).await
    };
    let (third, (first, second)) = join(write, join(first.follow("first", LONG), follow_second)).await;
    let outcomes = [first, second, third].map(|outcome| outcome.expect("an outcome"));
    assert_eq!(
        outcomes.map(|outcome| outcome.ending),
        [RunOutcome::HandedOver, RunOutcome::HandedOver, RunOutcome::Drained]
    );
    assert!(outcomes[0].done.changes > 0 && outcomes[1].done.changes > 0);
    assert_eq!(outcomes.map(|outcome| outcome.done.changes).iter().sum::<u64>(), 60, "each once");

    // Nobody waited for a lease to expire.
    let slowest = world.bus.accepted_at().iter().map(|(at, message)| *at - committed[&change(message).entity_id]).max();
    assert!(slowest < Some(LONG / 10), "{slowest:?}");
    assert_eq!(world.bus.accepted().len(), 60);
}

#[tokio::test]
async fn a_poller_that_was_fenced_writes_nothing_more() {
    let world = World::new();
    let (mut old, new) = (world.poller(Mode::Follow), world.poller(Mode::Drain));
    // It learns of its fate from its own write.
    old.settings.look_every = LONG;
    world.bus.set_latency(Duration::from_millis(50));
    world.five_commits().await;
    let follow_old = old.follow("old", LONG);
    let follow_new = async {
        // The old one has read, and waits for the bus.
        sleep(Duration::from_millis(30)).await;
        world.table.expire();
        new.follow("new", LONG).await
    };
    let (old, new) = join(follow_old, follow_new).await;
    assert_eq!(old.expect("the old one").ending, RunOutcome::LeaseLost);
    assert_eq!(new.expect("the new one").ending, RunOutcome::Drained);
    assert!(world.table.writes().iter().all(|(epoch, _)| *epoch == 2), "{:?}", world.table.writes());
    assert_eq!(world.bus.accepted().len(), 5);
    assert_tells_the_order(&world);
}

fn assert_tells_the_order(world: &World) {
    let groups = world.bus.by_group();
    assert!(groups.values().all(|bodies| bodies.len() == 1), "{groups:?}");
}

#[tokio::test]
async fn two_at_once_take_turns_and_none_gets_in_the_others_way() {
    let world = World::new();
    world.bus.trouble(7);
    let names = ["a", "b", "c", "d"];
    let pollers = names.map(|name| world.poller(if name == "d" { Mode::Drain } else { Mode::Follow }));
    let write = async {
        for commit in crate::world::commits(11, 40) {
            world.commit(&commit).await;
            sleep(Duration::from_millis(5)).await;
        }
    };
    let one = |at: usize| {
        let (poller, name) = (&pollers[at], names[at]);
        async move {
            sleep(Duration::from_millis(60 * at as u64)).await;
            poller.follow(name, LONG).await
        }
    };
    let ((), endings) = join(write, join(join(one(0), one(1)), join(one(2), one(3)))).await;
    let ((a, b), (c, d)) = endings;
    for outcome in [a, b, c] {
        assert_eq!(outcome.expect("an outcome").ending, RunOutcome::HandedOver);
    }
    assert_eq!(d.expect("the last one").ending, RunOutcome::Drained);
    world.bus.calm();
    world.drain().await.expect("drained");
    assert_eq!(world.bus.by_group(), world.expected().await);
    assert_tells_the_graph(&world).await;
    assert!(world.table.writes().is_sorted(), "{:?}", world.table.writes());
    assert_eq!(world.table.epoch(), 5);
}

#[tokio::test]
async fn who_does_not_get_the_lease_leaves() {
    let world = World::new();
    // Somebody who crashed holds it, and does not hear.
    let taken = stream_poller::checkpoints::Checkpoints::acquire(
        &world.table,
        "dead",
        jiff::Timestamp::now(),
        jiff::Timestamp::MAX,
    );
    assert!(taken.await.expect("an answer").is_some());
    let outcome = world.poller(Mode::Follow).follow("late", Duration::from_millis(200)).await.expect("an outcome");
    assert_eq!(outcome.ending, RunOutcome::NoLease);
    assert!(world.table.is_held() && world.bus.calls() == 0);
    assert!(hasty().margin < Duration::from_millis(200), "or it would not have tried");
}
