//! Fast resets. The new stream is longer or shorter than the published part of the old one, and the poller crashes
//! between any two of its calls. Invariants: no commit of the new stream is lost, and none is taken for one of the old.

use std::{collections::BTreeSet, time::Duration};

use domain::graph::Position;
use neptune::Fault;
use stream_poller::{
    Message,
    policy::{Mode, OnLoss, Policy, StartAt},
    poller::Poller,
    run_error::RunError,
    settings::Settings,
};

use crate::{
    crash::CrashAfter,
    memory_bus::MemoryBus,
    memory_table::MemoryTable,
    test_env::{TEST_TIMEOUT, TestEnv},
};

/// A poller that takes a head before the checkpoint for a reset at once.
fn poller(env: &TestEnv, on_reset: OnLoss) -> Poller<MemoryBus, MemoryTable> {
    let mut poller = env.poller_with(Policy { mode: Mode::Drain, on_reset, ..Policy::default() });
    poller.settings = Settings { reset_grace: Duration::from_millis(5), ..poller.settings };
    poller
}

/// The cluster names with commit numbers of the published events.
fn published(env: &TestEnv) -> BTreeSet<String> {
    ids(&env.bus.accepted())
}

fn ids(messages: &[Message]) -> BTreeSet<String> {
    let id = |body: &str| {
        let event: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let id = event["id"].as_str().expect("an id").rsplit_once('/').expect("an operation").0;
        id.to_owned()
    };
    messages.iter().map(|message| id(&message.body)).collect()
}

fn commits_of(cluster: &str, number: u64) -> impl Iterator<Item = String> {
    (1..=number).map(move |commit_num| format!("{cluster}/{commit_num}"))
}

/// A graph with five published commits, that was reset and has `commits` new ones.
async fn after_reset(commits: u64) -> TestEnv {
    let env = TestEnv::new();
    env.five_commits().await;
    env.drain().await.expect("a report");
    reset(&env, commits).await;
    env
}

async fn reset(env: &TestEnv, commits: u64) {
    env.graph.reset().await.expect("reset");
    for number in 1..=commits {
        env.add_person(number).await;
    }
}

#[tokio::test]
async fn stream_that_outgrew_its_checkpoint_is_a_reset() {
    for commits in [5, 6, 12] {
        let env = after_reset(commits).await;
        for _ in 0..2 {
            let error = poller(&env, OnLoss::Fail).follow("undecided", TEST_TIMEOUT).await.expect_err("an error");
            assert_eq!(error.kind(), "reset", "{error}");
            assert!(env.table.is_stopped_by_reset() && !env.table.is_held());
        }
        assert_eq!((published(&env), env.table.generation()), (commits_of("main", 5).collect(), 0));
        poller(&env, OnLoss::Oldest).follow("decided", TEST_TIMEOUT).await.expect("a report");
        let expected = commits_of("main", 5).chain(commits_of("main.1", commits)).collect();
        assert_eq!((published(&env), env.table.generation()), (expected, 1));
        assert!(!env.table.is_stopped_by_reset());
    }
}

#[tokio::test]
async fn detected_reset_stays_until_the_policy_resolves_it() {
    let env = after_reset(1).await;
    let error = poller(&env, OnLoss::Fail).follow("undecided", TEST_TIMEOUT).await.expect_err("an error");
    assert!(matches!(error, RunError::Reset { .. }), "{error}");
    // A row of a version that stored no commit time: only the mark shows the reset when the stream is longer again.
    env.table.forget_commit_time();
    for number in 2..=8 {
        env.add_person(number).await;
    }
    let error = poller(&env, OnLoss::Fail).follow("undecided", TEST_TIMEOUT).await.expect_err("an error");
    assert!(matches!(error, RunError::UnresolvedReset), "{error}");
    poller(&env, OnLoss::Oldest).follow("decided", TEST_TIMEOUT).await.expect("a report");
    assert_eq!(published(&env), commits_of("main", 5).chain(commits_of("main.1", 8)).collect());
}

#[tokio::test]
async fn replay_is_refused_until_the_next_generation_has_started() {
    for (commits, has_time) in [(1, true), (5, true), (12, true), (1, false)] {
        let env = after_reset(commits).await;
        if !has_time {
            env.table.forget_commit_time();
        }
        let poller = poller(&env, OnLoss::Oldest);
        let replay = || poller.replay(Position::new(1, 1), Position::new(9, 1), TEST_TIMEOUT);
        let error = replay().await.expect_err("an error");
        assert_eq!((error.kind(), published(&env)), ("reset", commits_of("main", 5).collect()), "{commits}: {error}");
        poller.follow("next", TEST_TIMEOUT).await.expect("a report");
        let before = env.bus.accepted().len();
        replay().await.expect("a report");
        let replayed = env.bus.accepted().split_off(before);
        assert_eq!(ids(&replayed), commits_of("main.1", commits.min(9)).collect());
    }
}

#[tokio::test]
async fn replay_is_refused_while_a_detected_reset_is_unresolved() {
    let env = after_reset(1).await;
    poller(&env, OnLoss::Fail).follow("undecided", TEST_TIMEOUT).await.expect_err("an error");
    env.table.forget_commit_time();
    for number in 2..=8 {
        env.add_person(number).await;
    }
    let replay = poller(&env, OnLoss::Fail).replay(Position::new(1, 1), Position::new(9, 1), TEST_TIMEOUT).await;
    assert!(matches!(replay, Err(RunError::UnresolvedReset)), "{replay:?}");
    assert_eq!(published(&env), commits_of("main", 5).collect());
}

#[tokio::test]
async fn replay_waits_for_a_lagging_replica() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.drain().await.expect("a report");
    env.fault(Fault::Lag { commits: 3 }, 4).await;
    let mut poller = env.poller(Mode::Drain);
    poller.settings = Settings { reset_grace: TEST_TIMEOUT, ..poller.settings };
    let report = poller.replay(Position::new(1, 1), Position::new(9, 1), TEST_TIMEOUT).await.expect("a report");
    assert_eq!(report.published.changes, 5);
}

#[tokio::test]
async fn replica_that_lagged_too_long_is_no_reset_afterwards() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.drain().await.expect("a report");
    env.fault(Fault::Lag { commits: 3 }, 0).await;
    let error = poller(&env, OnLoss::Fail).follow("too early", TEST_TIMEOUT).await.expect_err("an error");
    assert!(matches!(error, RunError::Reset { .. }), "{error}");
    env.graph.clear_faults().await.expect("no faults");
    env.add_person(6).await;
    for policy in [OnLoss::Fail, OnLoss::Oldest] {
        poller(&env, policy).follow("later", TEST_TIMEOUT).await.expect("a report");
    }
    assert_eq!((published(&env), env.table.generation()), (commits_of("main", 6).collect(), 0));
}

#[tokio::test]
async fn reset_between_two_reads_of_one_run_is_detected() {
    let env = TestEnv::new();
    env.five_commits().await;
    let mut follower = env.poller_with(Policy { mode: Mode::Follow, ..Policy::default() });
    // The stream is compared before each read, as after an outage.
    follower.settings = Settings { compare_after: Duration::ZERO, ..follower.settings };
    let run = follower.follow("follower", TEST_TIMEOUT);
    let history = async {
        while published(&env).len() < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // In one step: no read sees the new stream while it is shorter.
        env.fault(Fault::Error(neptune::Failure::Throttling), 60).await;
        reset(&env, 7).await;
    };
    let (report, ()) = tokio::join!(run, history);
    assert_eq!(report.expect_err("an error").kind(), "reset");
    assert_eq!(published(&env), commits_of("main", 5).collect());
}

/// A graph whose five commits were published without a checkpoint, and that was reset during the same run.
async fn after_reset_without_checkpoint() -> TestEnv {
    let env = TestEnv::new();
    env.five_commits().await;
    env.table.refuse_advances(true);
    let mut follower = env.poller(Mode::Follow);
    follower.settings = Settings { compare_after: Duration::ZERO, ..follower.settings };
    let run = follower.follow("follower", Duration::from_secs(4));
    let history = async {
        while published(&env).len() < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        env.fault(Fault::Error(neptune::Failure::Throttling), 9).await;
        reset(&env, 7).await;
        // The mark is tried until the table is back.
        env.table.fail(3);
    };
    let (report, ()) = tokio::join!(run, history);
    assert_eq!(report.expect_err("an error").kind(), "reset");
    env.table.refuse_advances(false);
    env
}

#[tokio::test]
async fn reset_before_the_first_checkpoint_stays_until_the_policy_resolves_it() {
    for start_at in [StartAt::Oldest, StartAt::Latest] {
        let env = after_reset_without_checkpoint().await;
        let poller = |on_reset| {
            let mut poller = poller(&env, on_reset);
            poller.policy.start_at = start_at;
            poller
        };
        let error = poller(OnLoss::Fail).follow("undecided", TEST_TIMEOUT).await.expect_err("an error");
        assert!(matches!(error, RunError::UnresolvedReset), "{start_at:?}: {error}");
        assert_eq!((published(&env), env.table.position()), (commits_of("main", 5).collect(), None));
        poller(OnLoss::Oldest).follow("decided", TEST_TIMEOUT).await.expect("a report");
        let expected = commits_of("main", 5).chain(commits_of("main.1", 7)).collect();
        assert_eq!((published(&env), env.table.generation()), (expected, 1), "{start_at:?}");
    }
}

#[tokio::test]
async fn later_generation_starts_with_the_oldest_record_whatever_the_policy() {
    for start_at in [StartAt::Oldest, StartAt::Latest] {
        let env = TestEnv::new();
        env.five_commits().await;
        // The holder before started the generation, and wrote no checkpoint.
        env.table.set_generation(1);
        let policy = Policy { mode: Mode::Drain, start_at, ..Policy::default() };
        env.poller_with(policy).follow("next", TEST_TIMEOUT).await.expect("a report");
        assert_eq!(published(&env), commits_of("main.1", 5).collect(), "{start_at:?}");
    }
}

/// Crashes the first poller after the reset at every one of its steps, for each length of the new stream.
#[tokio::test]
async fn crash_at_any_step_after_a_reset_loses_nothing() {
    let mut crashes = 0;
    for commits in [0, 1, 5, 7] {
        for start_at in [StartAt::Oldest, StartAt::Latest] {
            for polls in 1.. {
                let env = after_reset(commits).await;
                let mut first = poller(&env, OnLoss::Oldest);
                first.policy.start_at = start_at;
                let run = Box::pin(async { first.follow("first", TEST_TIMEOUT).await });
                let report = (CrashAfter { inner: run, polls }).await;
                env.table.expire();
                env.add_person(commits + 1).await;
                let mut second = poller(&env, OnLoss::Oldest);
                second.policy.start_at = start_at;
                second.follow("second", TEST_TIMEOUT).await.expect("a report");
                let expected: BTreeSet<_> = commits_of("main", 5).chain(commits_of("main.1", commits + 1)).collect();
                assert_eq!(published(&env), expected, "{commits} commits, {start_at:?}, crash after {polls} polls");
                assert_eq!(env.table.generation(), 1);
                if report.is_some_and(|report| report.is_ok()) {
                    break;
                }
                crashes += 1;
            }
        }
    }
    assert!(crashes > 100, "only {crashes} crashes");
    println!("{crashes} crashes");
}

/// Crashes the last poller before the reset at every one of its steps, so that the checkpoint is anywhere.
#[tokio::test]
async fn crash_at_any_step_before_a_reset_loses_nothing_after_it() {
    let (mut crashes, mut generations) = (0, 0);
    for commits in [1, 6] {
        for polls in 1.. {
            let env = TestEnv::new();
            env.five_commits().await;
            let last = poller(&env, OnLoss::Fail);
            let run = Box::pin(async { last.follow("last", TEST_TIMEOUT).await });
            let report = (CrashAfter { inner: run, polls }).await;
            env.table.expire();
            // Without a checkpoint nothing is known of the old stream.
            if env.table.position().is_some() {
                let before = published(&env);
                reset(&env, commits).await;
                poller(&env, OnLoss::Oldest).follow("next", TEST_TIMEOUT).await.expect("a report");
                let expected: BTreeSet<_> = before.into_iter().chain(commits_of("main.1", commits)).collect();
                assert_eq!(published(&env), expected, "{commits} commits, crash after {polls} polls");
                generations += 1;
            }
            if report.is_some() {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 20 && generations > 4, "only {crashes} crashes, {generations} generations");
    println!("{crashes} crashes, {generations} generations");
}
