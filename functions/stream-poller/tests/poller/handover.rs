use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join;
use stream_poller::{policy::Mode, run_outcome::RunOutcome};
use tokio::time::sleep;

use crate::test_env::{TEST_TIMEOUT, TestEnv, assert_changes_equal_graph, change, short_settings};

#[tokio::test]
async fn successor_takes_over_without_a_gap() {
    let env = TestEnv::new();
    let (first, second, third) = (env.poller(Mode::Follow), env.poller(Mode::Follow), env.poller(Mode::Drain));
    let mut committed = BTreeMap::new();
    let write = async {
        for number in 1..=60 {
            committed.insert(format!("p{number}"), Instant::now());
            env.add_person(number).await;
            sleep(Duration::from_millis(10)).await;
        }
        third.follow("third", TEST_TIMEOUT).await
    };
    let follow_second = async {
        sleep(Duration::from_millis(300)).await;
        second.follow("second", TEST_TIMEOUT).await
    };
    let (third, (first, second)) = join(write, join(first.follow("first", TEST_TIMEOUT), follow_second)).await;
    let outcomes = [first, second, third].map(|report| report.expect("an outcome"));
    assert_eq!(
        outcomes.map(|report| report.outcome),
        [RunOutcome::HandedOver, RunOutcome::HandedOver, RunOutcome::Drained]
    );
    assert!(outcomes[0].published.changes > 0 && outcomes[1].published.changes > 0);
    assert_eq!(outcomes.map(|report| report.published.changes).iter().sum::<u64>(), 60, "each once");

    // No poller waited for a lease to expire.
    let slowest = env.bus.accepted_at().iter().map(|(at, message)| *at - committed[&change(message).entity_id]).max();
    assert!(slowest < Some(TEST_TIMEOUT / 10), "{slowest:?}");
    assert_eq!(env.bus.accepted().len(), 60);
}

#[tokio::test]
async fn fenced_poller_writes_no_checkpoint() {
    let env = TestEnv::new();
    let (mut old, new) = (env.poller(Mode::Follow), env.poller(Mode::Drain));
    // Only its own write detects the lost lease.
    old.settings.lease_check_interval = TEST_TIMEOUT;
    env.bus.set_latency(Duration::from_millis(50));
    env.five_commits().await;
    let follow_old = old.follow("old", TEST_TIMEOUT);
    let follow_new = async {
        // The old poller has read pages and waits for the bus.
        sleep(Duration::from_millis(30)).await;
        env.table.expire();
        new.follow("new", TEST_TIMEOUT).await
    };
    let (old, new) = join(follow_old, follow_new).await;
    assert_eq!(old.expect("the old one").outcome, RunOutcome::LeaseLost);
    assert_eq!(new.expect("the new one").outcome, RunOutcome::Drained);
    assert!(env.table.writes().iter().all(|(epoch, _)| *epoch == 2), "{:?}", env.table.writes());
    assert_eq!(env.bus.accepted().len(), 5);
    assert_one_message_per_group(&env);
}

fn assert_one_message_per_group(env: &TestEnv) {
    let groups = env.bus.by_group();
    assert!(groups.values().all(|bodies| bodies.len() == 1), "{groups:?}");
}

#[tokio::test]
async fn concurrent_pollers_hand_over_in_turn() {
    let env = TestEnv::new();
    env.bus.inject_failures(7);
    let names = ["a", "b", "c", "d"];
    let pollers = names.map(|name| env.poller(if name == "d" { Mode::Drain } else { Mode::Follow }));
    let write = async {
        for commit in crate::test_env::commits(11, 40) {
            env.commit(&commit).await;
            sleep(Duration::from_millis(5)).await;
        }
    };
    let follow = |index: usize| {
        let (poller, name) = (&pollers[index], names[index]);
        async move {
            sleep(Duration::from_millis(60 * index as u64)).await;
            poller.follow(name, TEST_TIMEOUT).await
        }
    };
    let ((), reports) = join(write, join(join(follow(0), follow(1)), join(follow(2), follow(3)))).await;
    let ((a, b), (c, d)) = reports;
    for report in [a, b, c] {
        assert_eq!(report.expect("an outcome").outcome, RunOutcome::HandedOver);
    }
    assert_eq!(d.expect("the last one").outcome, RunOutcome::Drained);
    env.bus.stop_failures();
    env.drain().await.expect("drained");
    assert_eq!(env.bus.by_group(), env.expected().await);
    assert_changes_equal_graph(&env).await;
    assert!(env.table.writes().is_sorted(), "{:?}", env.table.writes());
    assert_eq!(env.table.epoch(), 5);
}

#[tokio::test]
async fn poller_without_lease_ends() {
    let env = TestEnv::new();
    // The holder has crashed and does not see the request.
    let acquired = stream_poller::checkpoints::Checkpoints::acquire(
        &env.table,
        "dead",
        jiff::Timestamp::now(),
        jiff::Timestamp::MAX,
    );
    assert!(acquired.await.expect("a response").is_some());
    let report = env.poller(Mode::Follow).follow("late", Duration::from_millis(200)).await.expect("an outcome");
    assert_eq!(report.outcome, RunOutcome::NoLease);
    assert!(env.table.is_held() && env.bus.calls() == 0);
    assert!(short_settings().margin < Duration::from_millis(200), "otherwise it would not try");
}
