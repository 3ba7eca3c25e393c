use std::time::Duration;

use domain::graph::Position;
use neptune::{Commit, Failure, Fault};
use stream_poller::{inspect, policy::Mode, stop::RunOutcome};

use crate::world::{LONG, World};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[tokio::test]
async fn counting_says_what_a_replay_publishes_and_publishes_nothing() {
    let world = World::new();
    world.five_commits().await;
    let many = (0..20).fold(Commit::new(), |commit, number| commit.add_vertex(format!("q{number}"), ["person"]));
    world.commit(&many).await;
    world.add_person(7).await;
    world.fault(Fault::Error(Failure::Throttling), 2).await;
    let poller = world.poller(Mode::Follow);
    for (from, to) in [((1, 1), (9, 1)), ((4, 2), (6, 3)), ((6, 20), (6, 1)), ((7, 1), (7, 1)), ((8, 1), (9, 1))] {
        let (from, to) = (Position::new(from.0, from.1), Position::new(to.0, to.1));
        let before = world.bus.accepted().len();
        let counted = inspect::count(&poller.stream, from, to, LONG, &poller.settings).await.expect("counted");
        assert_eq!(world.bus.accepted().len(), before);
        let published = world.poller(Mode::Follow).replay(from, to, LONG).await.expect("replayed");
        assert_eq!(counted.done, published.done, "{from} to {to}");
        assert_eq!(world.bus.accepted().len() as u64, before as u64 + counted.done.changes);
    }
    assert!(world.table.writes().is_empty());
}

#[tokio::test]
async fn what_has_expired_cannot_be_counted() {
    let world = World::new();
    world.five_commits().await;
    world.graph.trim(3).await.expect("trimmed");
    let (poller, from) = (world.poller(Mode::Follow), Position::new(2, 1));
    let stop = inspect::count(&poller.stream, from, Position::new(5, 1), LONG, &poller.settings).await;
    assert_eq!(stop.expect_err("stopped").kind(), "expired");
}

#[tokio::test]
async fn counting_ends_with_the_invocation() {
    let world = World::new();
    world.five_commits().await;
    let poller = world.poller(Mode::Follow);
    let (from, to) = (Position::new(1, 1), Position::new(5, 1));
    let counted = inspect::count(&poller.stream, from, to, Duration::ZERO, &poller.settings).await.expect("counted");
    assert_eq!(counted.ending, RunOutcome::Deadline);
}

#[tokio::test]
async fn the_stream_is_seen_from_the_checkpoint() {
    let world = World::new();
    let stream = world.poller(Mode::Follow).stream;
    let empty = inspect::stream_status(&stream, None, WEEK).await.expect("a stream");
    assert_eq!((empty.oldest, empty.next, empty.unreadable), (None, None, None));
    world.five_commits().await;
    let at = async |after| {
        let standing = inspect::stream_status(&stream, after, WEEK).await.expect("a stream");
        (standing.head, standing.oldest.map(|mark| mark.position), standing.next.map(|mark| mark.position))
    };
    let (first, last) = (Position::new(1, 1), Position::new(5, 2));
    assert_eq!(at(None).await, (Some(last), Some(first), Some(first)));
    assert_eq!(at(Some(Position::new(3, 2))).await, (Some(last), Some(first), Some(Position::new(4, 1))));
    assert_eq!(at(Some(last)).await, (Some(last), Some(first), None));

    world.graph.trim(4).await.expect("trimmed");
    let late = inspect::stream_status(&stream, Some(Position::new(2, 2)), WEEK).await.expect("a stream");
    assert_eq!((late.next, late.unreadable), (None, Some("expired")), "it is said, and the rest all the same");
    assert_eq!(late.oldest.map(|mark| mark.position), Some(Position::new(5, 1)));
}
