use std::time::Duration;

use domain::graph::Position;
use neptune::{Commit, Failure, Fault};
use stream_poller::{inspect, policy::Mode, run_outcome::RunOutcome};

use crate::test_env::{TEST_TIMEOUT, TestEnv};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[tokio::test]
async fn count_equals_the_replay_and_publishes_nothing() {
    let env = TestEnv::new();
    env.five_commits().await;
    let many = (0..20).fold(Commit::new(), |commit, number| commit.add_vertex(format!("q{number}"), ["person"]));
    env.commit(&many).await;
    env.add_person(7).await;
    env.fault(Fault::Error(Failure::Throttling), 2).await;
    let poller = env.poller(Mode::Follow);
    for (from, to) in [((1, 1), (9, 1)), ((4, 2), (6, 3)), ((6, 20), (6, 1)), ((7, 1), (7, 1)), ((8, 1), (9, 1))] {
        let (from, to) = (Position::new(from.0, from.1), Position::new(to.0, to.1));
        let before = env.bus.accepted().len();
        let counted = inspect::count(&poller.stream, from, to, TEST_TIMEOUT, &poller.settings).await.expect("counted");
        assert_eq!(env.bus.accepted().len(), before);
        let published = env.poller(Mode::Follow).replay(from, to, TEST_TIMEOUT).await.expect("replayed");
        assert_eq!(counted.published, published.published, "{from} to {to}");
        assert_eq!(env.bus.accepted().len() as u64, before as u64 + counted.published.changes);
    }
    assert!(env.table.writes().is_empty());
}

#[tokio::test]
async fn count_of_expired_records_fails() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.graph.trim(3).await.expect("trimmed");
    let (poller, from) = (env.poller(Mode::Follow), Position::new(2, 1));
    let result = inspect::count(&poller.stream, from, Position::new(5, 1), TEST_TIMEOUT, &poller.settings).await;
    assert_eq!(result.expect_err("an error").kind(), "expired");
}

#[tokio::test]
async fn count_ends_at_the_deadline() {
    let env = TestEnv::new();
    env.five_commits().await;
    let poller = env.poller(Mode::Follow);
    let (from, to) = (Position::new(1, 1), Position::new(5, 1));
    let counted = inspect::count(&poller.stream, from, to, Duration::ZERO, &poller.settings).await.expect("counted");
    assert_eq!(counted.outcome, RunOutcome::Deadline);
}

#[tokio::test]
async fn stream_status_depends_on_the_checkpoint() {
    let env = TestEnv::new();
    let stream = env.poller(Mode::Follow).stream;
    let empty = inspect::stream_status(&stream, None, WEEK).await.expect("a status");
    assert_eq!((empty.oldest, empty.next, empty.unreadable), (None, None, None));
    env.five_commits().await;
    let at = async |after| {
        let status = inspect::stream_status(&stream, after, WEEK).await.expect("a status");
        (status.head, status.oldest.map(|record| record.position), status.next.map(|record| record.position))
    };
    let (first, last) = (Position::new(1, 1), Position::new(5, 2));
    assert_eq!(at(None).await, (Some(last), Some(first), Some(first)));
    assert_eq!(at(Some(Position::new(3, 2))).await, (Some(last), Some(first), Some(Position::new(4, 1))));
    assert_eq!(at(Some(last)).await, (Some(last), Some(first), None));

    env.graph.trim(4).await.expect("trimmed");
    let expired = inspect::stream_status(&stream, Some(Position::new(2, 2)), WEEK).await.expect("a status");
    assert_eq!((expired.next, expired.unreadable), (None, Some("expired")));
    assert_eq!(expired.oldest.map(|record| record.position), Some(Position::new(5, 1)));
}
