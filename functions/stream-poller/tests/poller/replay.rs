use domain::graph::Position;
use neptune::Commit;
use stream_poller::{policy::Mode, run_outcome::RunOutcome};

use crate::test_env::{TEST_TIMEOUT, TestEnv, positions};

#[tokio::test]
async fn replay_publishes_whole_transactions_again_without_checkpoint() {
    let env = TestEnv::new();
    env.five_commits().await;
    let many = (0..20).fold(Commit::new(), |commit, number| commit.add_vertex(format!("q{number}"), ["person"]));
    env.commit(&many).await;
    env.add_person(7).await;
    env.drain().await.expect("drained");
    let first = env.bus.accepted();
    let (position, epoch, writes) = (env.table.position(), env.table.epoch(), env.table.writes());

    // From the middle of one transaction to the middle of another that exceeds the bounds.
    let (from, to) = (Position::new(4, 2), Position::new(6, 3));
    let report = env.poller(Mode::Follow).replay(from, to, TEST_TIMEOUT).await.expect("replayed");
    assert_eq!((report.outcome, report.published.changes), (RunOutcome::Replayed, 22));
    assert_eq!(report.published.position, Some(Position::new(6, 20)));
    let replayed = env.bus.accepted().split_off(first.len());
    let mut bodies: Vec<_> = replayed.iter().map(|message| &message.body).collect();
    let in_range = |at: &Position| (4..=6).contains(&at.commit_num);
    let originals = first.iter().zip(positions(&first)).filter(|(_, at)| in_range(at));
    let mut expected: Vec<_> = originals.map(|(message, _)| &message.body).collect();
    bodies.sort();
    expected.sort();
    assert_eq!(bodies, expected, "the same events");
    assert_eq!((env.table.position(), env.table.epoch(), env.table.writes()), (position, epoch, writes));
}

#[tokio::test]
async fn second_replay_is_published_again() {
    let env = TestEnv::new();
    env.five_commits().await;
    for number in 1..=2 {
        let report = env.poller(Mode::Follow).replay(Position::new(1, 1), Position::new(9, 1), TEST_TIMEOUT).await;
        // It ends at the end of the stream.
        assert_eq!(report.expect("replayed").outcome, RunOutcome::Drained);
        assert_eq!(env.bus.accepted().len(), 5 * number);
    }
}

#[tokio::test]
async fn replay_of_expired_records_fails() {
    let env = TestEnv::new();
    env.five_commits().await;
    env.graph.trim(3).await.expect("trimmed");
    let result = env.poller(Mode::Follow).replay(Position::new(2, 1), Position::new(5, 1), TEST_TIMEOUT).await;
    assert_eq!(result.expect_err("an error").kind(), "expired");
}
