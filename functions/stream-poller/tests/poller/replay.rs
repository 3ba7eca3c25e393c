use domain::graph::Position;
use neptune::Commit;
use stream_poller::{policy::Mode, stop::RunOutcome};

use crate::world::{LONG, World, positions};

#[tokio::test]
async fn a_replay_publishes_whole_transactions_again_and_touches_nothing_else() {
    let world = World::new();
    world.five_commits().await;
    let many = (0..20).fold(Commit::new(), |commit, number| commit.add_vertex(format!("q{number}"), ["person"]));
    world.commit(&many).await;
    world.add_person(7).await;
    world.drain().await.expect("drained");
    let first = world.bus.accepted();
    let (position, epoch, writes) = (world.table.position(), world.table.epoch(), world.table.writes());

    // From the middle of one transaction to the middle of another, which is too large to be held.
    let (from, to) = (Position::new(4, 2), Position::new(6, 3));
    let outcome = world.poller(Mode::Follow).replay(from, to, LONG).await.expect("replayed");
    assert_eq!((outcome.ending, outcome.done.changes), (RunOutcome::Replayed, 22));
    assert_eq!(outcome.done.position, Some(Position::new(6, 20)));
    let again = world.bus.accepted().split_off(first.len());
    let mut bodies: Vec<_> = again.iter().map(|message| &message.body).collect();
    let in_range = |at: &Position| (4..=6).contains(&at.commit_num);
    let told = first.iter().zip(positions(&first)).filter(|(_, at)| in_range(at));
    let mut expected: Vec<_> = told.map(|(message, _)| &message.body).collect();
    bodies.sort();
    expected.sort();
    assert_eq!(bodies, expected, "the same events");
    assert_eq!((world.table.position(), world.table.epoch(), world.table.writes()), (position, epoch, writes));
}

#[tokio::test]
async fn a_second_replay_is_as_new_to_the_bus_as_the_first() {
    let world = World::new();
    world.five_commits().await;
    for number in 1..=2 {
        let whole = world.poller(Mode::Follow).replay(Position::new(1, 1), Position::new(9, 1), LONG).await;
        // It ends where the stream does.
        assert_eq!(whole.expect("replayed").ending, RunOutcome::Drained);
        assert_eq!(world.bus.accepted().len(), 5 * number);
    }
}

#[tokio::test]
async fn what_has_expired_cannot_be_replayed() {
    let world = World::new();
    world.five_commits().await;
    world.graph.trim(3).await.expect("trimmed");
    let stop = world.poller(Mode::Follow).replay(Position::new(2, 1), Position::new(5, 1), LONG).await;
    assert_eq!(stop.expect_err("stopped").kind(), "expired");
}
