use std::time::Duration;

use domain::graph::{Position, Value};
use jiff::Timestamp;
use neptune::{Commit, ExpiredStatus, Failure, Fault, Options};
use proptest::prelude::*;
use stream_poller::{
    policy::{Mode, Policy, StartAt},
    run_outcome::RunOutcome,
    settings::Settings,
};

use crate::{
    crash::CrashAfter,
    test_env::{TEST_TIMEOUT, TestEnv, assert_changes_equal_graph, change, commits, positions, short_settings},
};

#[tokio::test]
async fn committed_changes_are_published_once_and_checkpointed() {
    let env = TestEnv::new();
    env.five_commits().await;
    let report = env.drain().await.expect("a report");
    assert_eq!((report.outcome, report.published.changes), (RunOutcome::Drained, 5));
    let commits: Vec<_> = positions(&env.bus.accepted()).iter().map(|position| position.commit_num).collect();
    assert_eq!(commits.len(), 5);
    assert_eq!(env.table.position(), Some(Position::new(5, 2)));
    assert!(!env.table.is_held());

    let calls = env.bus.calls();
    env.drain().await.expect("a report");
    assert_eq!(env.bus.calls(), calls, "nothing is published twice");
}

#[tokio::test]
async fn start_at_latest_publishes_later_commits_only() {
    let env = TestEnv::new();
    env.five_commits().await;
    let policy = Policy { mode: Mode::Drain, start_at: StartAt::Latest, ..Policy::default() };
    env.poller_with(policy).follow("first", TEST_TIMEOUT).await.expect("a report");
    assert!(env.bus.accepted().is_empty());
    assert_eq!(env.table.position(), Some(Position::new(5, 2)), "stored without any new record");
    env.add_person(6).await;
    env.poller_with(policy).follow("second", TEST_TIMEOUT).await.expect("a report");
    assert_eq!(positions(&env.bus.accepted()), [Position::new(6, 1)]);
}

#[tokio::test]
async fn engine_without_marks_publishes_the_last_commit_when_idle() {
    let env = TestEnv::with(Options { marks_last_op: false, ..Options::default() });
    env.five_commits().await;
    env.drain().await.expect("a report");
    assert_eq!(env.bus.accepted().len(), 5);
}

#[tokio::test]
async fn transaction_beyond_the_bounds_is_published_in_parts() {
    let env = TestEnv::new();
    let people = (0..40).fold(Commit::new(), |commit, number| commit.add_vertex(format!("p{number}"), ["person"]));
    env.commit(&people).await;
    env.drain().await.expect("a report");
    let accepted = env.bus.accepted();
    assert_eq!(accepted.len(), 40);
    assert!(accepted.iter().all(|message| change(message).position.commit_num == 1));
    assert_eq!(env.table.position(), Some(Position::new(1, 40)));
}

/// A transaction of several parts: the last one hides a story that the first one adds.
fn story_hidden_by_a_later_part(at: Timestamp) -> Commit {
    let stories = Commit::new().add_vertex("s1", ["story"]).set("s1", "title", "첫눈").add_vertex("s2", ["story"]);
    let stories = stories.set("s2", "visibility", "public");
    let people = (0..30).fold(stories, |commit, number| commit.add_vertex(format!("p{number}"), ["person"]));
    people.set("s1", "visibility", "private").requested_at(at.as_millisecond())
}

#[tokio::test]
async fn story_is_partial_until_the_part_with_its_visibility() {
    let faults = [
        Fault::Error(Failure::ClientTimeout),
        Fault::Cut { at_op: 9 },
        // Another replica responds: it has not yet the transaction, and an empty page does not end it.
        Fault::Expired { status: ExpiredStatus::NotFound },
        Fault::Expired { status: ExpiredStatus::NotFoundWithoutHead },
    ];
    let faults = faults.into_iter().flat_map(|fault| (1..=9).map(move |times| Some((fault, times))));
    for fault in faults.chain([None]) {
        let env = TestEnv::new();
        env.commit(&story_hidden_by_a_later_part(Timestamp::now())).await;
        env.add_person(100).await;
        if let Some((fault, times)) = fault {
            env.fault(fault, times).await;
        }
        let mut poller = env.poller(Mode::Drain);
        // A page with more than the first part: reading ahead meets the faults, too.
        poller.settings = Settings { page_limit: 10, expiry_grace: TEST_TIMEOUT, ..poller.settings };
        poller.follow("drain", TEST_TIMEOUT).await.expect("a report");
        let changes: Vec<_> = env.bus.accepted().iter().map(change).collect();
        let of = |id: &str| changes.iter().filter(|change| change.entity_id == id).cloned().collect::<Vec<_>>();
        let stories = of("s1");
        assert_eq!(stories.iter().map(|change| change.is_partial).collect::<Vec<_>>(), [true, false], "{fault:?}");
        assert!(!stories[0].properties.contains_key("visibility"));
        assert_eq!(stories[1].properties["visibility"].after, [Value::String("private".to_owned())]);
        assert_eq!(changes.iter().filter(|change| change.is_partial).count(), 1);
        assert_eq!(of("s2").len(), 1, "it is whole in its part");
        assert_eq!(env.table.position(), Some(Position::new(2, 2)));
    }
}

/// No transaction before has shown that the stream marks their ends.
#[tokio::test]
async fn first_transaction_is_whole_although_a_lagging_replica_responds_within_it() {
    for times in 1..=6 {
        for marks_last_op in [true, false] {
            let env = TestEnv::with(Options { marks_last_op, ..Options::default() });
            let story =
                Commit::new().add_vertex("s1", ["story"]).set("s1", "title", "첫눈").add_vertex("p1", ["person"]);
            let story = story.set("p1", "name", "미나").set("p1", "city", "서울").set("s1", "visibility", "private");
            env.commit(&story).await;
            env.fault(Fault::Expired { status: ExpiredStatus::NotFoundWithoutHead }, times).await;
            env.drain().await.expect("a report");
            let changes: Vec<_> = env.bus.accepted().iter().map(change).collect();
            let story: Vec<_> = changes.iter().filter(|change| change.entity_id == "s1").collect();
            assert_eq!(story.len(), 1, "{times}, {marks_last_op}: {story:?}");
            assert!(story[0].properties.contains_key("visibility"), "{times}, {marks_last_op}: {story:?}");
        }
    }
}

#[tokio::test]
async fn part_published_after_a_crash_is_as_partial_as_before() {
    // The same commit time, since it is part of the messages.
    let commit = story_hidden_by_a_later_part(Timestamp::now());
    let expected = {
        let env = TestEnv::new();
        env.commit(&commit).await;
        env.expected().await
    };
    for polls in 1.. {
        let env = TestEnv::new();
        env.commit(&commit).await;
        let poller = env.poller(Mode::Drain);
        let run = Box::pin(async { poller.follow("first", TEST_TIMEOUT).await });
        let report = (CrashAfter { inner: run, polls }).await;
        env.table.expire();
        env.drain().await.expect("a report");
        assert_eq!(env.bus.by_group(), expected, "crash after {polls} polls");
        if report.is_some() {
            assert!(polls > 20, "only {polls} polls");
            break;
        }
    }
}

#[tokio::test]
async fn rejected_message_is_dead_lettered_and_others_are_published() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.commit(&Commit::new().set("p2", "name", "invalid")).await;
    env.commit(&Commit::new().set("p2", "name", "valid")).await;
    env.bus.reject(r#""value":"invalid"}]"#);
    env.bus.inject_failures(3);
    env.drain().await.expect("a report");
    let dead_letters = env.bus.dead_letters();
    // Both commits contain the invalid value: one as the new value, one as the old value.
    assert!(
        dead_letters.iter().all(|message| message.group == "vertex/p2") && !dead_letters.is_empty(),
        "{dead_letters:?}"
    );
    assert_eq!(env.bus.accepted().len() + dead_letters.len(), 7);
    assert_eq!(env.table.position(), Some(Position::new(7, 2)));
}

#[tokio::test]
async fn bus_that_rejects_everything_fails_the_run() {
    let env = TestEnv::new();
    for number in 0..40 {
        env.add_person(number).await;
    }
    env.bus.reject("specversion");
    let error = env.drain().await.expect_err("an error");
    assert_eq!(error.kind(), "refused");
    assert!(
        env.bus.dead_letters().len() <= short_settings().max_consecutive_rejections as usize + 1,
        "{}",
        env.bus.dead_letters().len()
    );
    assert!(!env.table.is_held());
}

#[tokio::test]
async fn bus_that_is_down_keeps_the_checkpoint_and_fails_the_run() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.bus.set_down(true);
    let error = env.poller(Mode::Follow).follow("down", Duration::from_millis(400)).await.expect_err("an error");
    assert_eq!((error.kind(), env.table.position()), ("publish", None));
    assert!(!env.table.is_held());
    env.bus.set_down(false);
    env.drain().await.expect("a report");
    assert_eq!(env.bus.accepted().len(), 5);
}

#[tokio::test]
async fn bus_that_hangs_keeps_the_checkpoint_and_the_run_ends_in_time() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.bus.set_latency(Duration::from_secs(1));
    let report = env.poller(Mode::Follow).follow("late", Duration::from_millis(400)).await.expect("a report");
    assert_eq!((report.outcome, env.table.position()), (RunOutcome::Deadline, None));
    assert!(!env.table.is_held());
}

#[tokio::test]
async fn table_that_fails_for_a_while_loses_nothing() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.table.fail(4);
    env.drain().await.expect("a report");
    assert_eq!((env.bus.accepted().len(), env.table.position()), (5, Some(Position::new(5, 2))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn sequence_per_entity_does_not_depend_on_pages_and_failures(
        seed in 0_u64..1_000_000,
        limit in 1_u32..40,
        calls in 1_usize..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let env = TestEnv::new();
            for commit in commits(seed, 25) {
                env.commit(&commit).await;
            }
            let expected = env.expected().await;
            env.bus.inject_failures(seed);
            let mut poller = env.poller(Mode::Drain);
            poller.settings.page_limit = limit;
            poller.settings.max_calls = calls;
            poller.follow("any", TEST_TIMEOUT).await.expect("a report");
            assert_eq!(env.bus.by_group(), expected);
            assert_changes_equal_graph(&env).await;
        });
    }
}
