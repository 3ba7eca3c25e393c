use domain::graph::Position;
use neptune::{ExpiredStatus, Failure, Fault, Options};
use stream_poller::{
    policy::{Mode, OnGap, OnLoss, Policy},
    poller::Poller,
    run_error::RunError,
    settings::Settings,
};

use crate::{
    memory_bus::MemoryBus,
    memory_table::MemoryTable,
    test_env::{TEST_TIMEOUT, TestEnv, positions},
};

fn drain(policy: Policy) -> Policy {
    Policy { mode: Mode::Drain, ..policy }
}

/// The published commits, in order.
fn published(env: &TestEnv) -> Vec<u64> {
    positions(&env.bus.accepted()).iter().map(|position| position.commit_num).collect()
}

/// A poller that waits for outages to pass, also on a slow machine.
fn patient_poller(env: &TestEnv) -> Poller<MemoryBus, MemoryTable> {
    let mut poller = env.poller(Mode::Drain);
    poller.settings =
        Settings { gap_grace: TEST_TIMEOUT, reset_grace: TEST_TIMEOUT, expiry_grace: TEST_TIMEOUT, ..poller.settings };
    poller
}

#[tokio::test]
async fn transient_fault_is_retried_until_it_passes() {
    for fault in [
        Fault::Error(Failure::Throttling),
        Fault::Error(Failure::MemoryLimitExceeded),
        Fault::Error(Failure::ClientTimeout),
        Fault::Error(Failure::TooManyRequests),
        Fault::Error(Failure::ConstraintViolation),
        Fault::Cut { at_op: 1 },
        Fault::Slow { millis: 20 },
        Fault::Gap { commit_num: 4 },
        Fault::Expired { status: ExpiredStatus::NotFound },
    ] {
        let env = TestEnv::new();
        env.five_commits().await;
        env.table.set_position(1, 2);
        // More often than the SDK retries.
        env.fault(fault, 7).await;
        patient_poller(&env).follow("patient", TEST_TIMEOUT).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(published(&env), [2, 3, 4, 5], "{fault:?}");
        assert!(env.graph.faults().await.expect("faults")[0].hits > 0, "{fault:?} was not injected");
    }
}

#[tokio::test]
async fn lagging_replica_is_not_a_reset() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.drain().await.expect("a report");
    env.fault(Fault::Lag { commits: 3 }, 4).await;
    env.add_person(6).await;
    patient_poller(&env).follow("patient", TEST_TIMEOUT).await.expect("a report");
    assert_eq!(published(&env), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn permanent_fault_fails_with_its_kind() {
    let env = TestEnv::new();
    env.five_commits().await;
    for (fault, kind) in [
        (Fault::Error(Failure::StreamsOff), "streams-off"),
        (Fault::Error(Failure::IllegalArgument), "invalid-request"),
        (Fault::Error(Failure::PreconditionsFailed), "invalid-request"),
    ] {
        env.fault(fault, 1).await;
        let error = env.drain().await.expect_err("an error");
        assert_eq!(error.kind(), kind);
        assert!(!env.table.is_held(), "{kind}: the lease is released");
    }
    env.drain().await.expect("a report after the fault");
}

#[tokio::test]
async fn expiry_fails_or_continues_with_the_oldest_record() {
    for expired_as in [ExpiredStatus::Expired, ExpiredStatus::NotFound] {
        let env = TestEnv::with(Options { expired_as, ..Options::default() });
        env.five_commits().await;
        env.table.set_position(1, 2);
        env.graph.trim(3).await.expect("trimmed");
        let error = env.drain().await.expect_err("an error");
        assert!(matches!(error, RunError::Expired { after } if after == Position::new(1, 2)), "{error}");
        assert_eq!((published(&env), env.table.position()), (vec![], Some(Position::new(1, 2))));

        let policy = drain(Policy { on_expiry: OnLoss::Oldest, ..Policy::default() });
        env.poller_with(policy).follow("decided", TEST_TIMEOUT).await.expect("a report");
        assert_eq!((published(&env), env.table.position()), (vec![4, 5], Some(Position::new(5, 2))));
    }
}

#[tokio::test]
async fn permanent_gap_fails_after_the_records_before_it_or_is_skipped() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.fault(Fault::Gap { commit_num: 3 }, 0).await;
    let error = env.drain().await.expect_err("an error");
    let (expected, got) = (Position::new(3, 1), Position::new(4, 1));
    assert!(matches!(error, RunError::Gap { expected: e, got: g } if (e, g) == (expected, got)), "{error}");
    assert_eq!((published(&env), env.table.position()), (vec![1, 2], Some(Position::new(2, 2))));

    let policy = drain(Policy { on_gap: OnGap::Skip, ..Policy::default() });
    env.poller_with(policy).follow("decided", TEST_TIMEOUT).await.expect("a report");
    assert_eq!(published(&env), [1, 2, 4, 5]);
}

#[tokio::test]
async fn fast_reset_fails_or_starts_a_new_generation() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.drain().await.expect("a report");
    env.graph.reset().await.expect("reset");
    env.add_person(1).await;
    let error = env.drain().await.expect_err("an error");
    assert!(matches!(error, RunError::Reset { head } if head == Position::new(1, 2)), "{error}");

    let policy = drain(Policy { on_reset: OnLoss::Oldest, ..Policy::default() });
    env.poller_with(policy).follow("decided", TEST_TIMEOUT).await.expect("a report");
    let accepted = env.bus.accepted();
    assert_eq!((accepted.len(), env.table.position()), (6, Some(Position::new(1, 2))));
    // The same commit number as before, but a new event id.
    assert!(accepted[5].body.contains(r#""id":"main.1/1/1""#), "{}", accepted[5].body);
    env.add_person(2).await;
    env.drain().await.expect("a report");
    assert!(env.bus.accepted()[6].body.contains(r#""id":"main.1/2/1""#));
}
