use domain::graph::Position;
use neptune::{ExpiredStatus, Failure, Fault, Options};
use stream_poller::{
    policy::{Mode, OnGap, OnLoss, Policy},
    poller::Poller,
    settings::Settings,
    stop::RunError,
};

use crate::{
    bus::MemoryBus,
    table::MemoryTable,
    world::{LONG, World, positions},
};

fn drain(policy: Policy) -> Policy {
    Policy { mode: Mode::Drain, ..policy }
}

/// The commits that were published, in order.
fn published(world: &World) -> Vec<u64> {
    positions(&world.bus.accepted()).iter().map(|position| position.commit_num).collect()
}

/// Waits for what passes, however slow the machine is.
fn patient(world: &World) -> Poller<MemoryBus, MemoryTable> {
    let mut poller = world.poller(Mode::Drain);
    poller.settings = Settings { hold_gap: LONG, hold_reset: LONG, hold_expiry: LONG, ..poller.settings };
    poller
}

#[tokio::test]
async fn what_passes_by_itself_is_waited_for() {
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
        let world = World::new();
        world.five_commits().await;
        world.table.set_position(1, 2);
        // More than the SDK's own tries.
        world.fault(fault, 7).await;
        patient(&world).follow("patient", LONG).await.unwrap_or_else(|stop| panic!("{fault:?}: {stop}"));
        assert_eq!(published(&world), [2, 3, 4, 5], "{fault:?}");
        assert!(world.graph.faults().await.expect("faults")[0].hits > 0, "{fault:?} did not strike");
    }
}

#[tokio::test]
async fn a_replica_that_lags_is_no_reset() {
    let world = World::new();
    world.five_commits().await;
    world.drain().await.expect("drained");
    world.fault(Fault::Lag { commits: 3 }, 4).await;
    world.add_person(6).await;
    patient(&world).follow("patient", LONG).await.expect("drained");
    assert_eq!(published(&world), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn what_does_not_pass_stops_and_says_what_it_is() {
    let world = World::new();
    world.five_commits().await;
    for (fault, kind) in [
        (Fault::Error(Failure::StreamsOff), "streams-off"),
        (Fault::Error(Failure::IllegalArgument), "invalid-request"),
        (Fault::Error(Failure::PreconditionsFailed), "invalid-request"),
    ] {
        world.fault(fault, 1).await;
        let stop = world.drain().await.expect_err("stopped");
        assert_eq!(stop.kind(), kind);
        assert!(!world.table.is_held(), "{kind}: the lease is given back");
    }
    world.drain().await.expect("drained, once it was put right");
}

#[tokio::test]
async fn expiry_stops_or_goes_on_with_the_oldest_however_it_is_said() {
    for expired_as in [ExpiredStatus::Expired, ExpiredStatus::NotFound] {
        let world = World::with(Options { expired_as, ..Options::default() });
        world.five_commits().await;
        world.table.set_position(1, 2);
        world.graph.trim(3).await.expect("trimmed");
        let stop = world.drain().await.expect_err("stopped");
        assert!(matches!(stop, RunError::Expired { after } if after == Position::new(1, 2)), "{stop}");
        assert_eq!((published(&world), world.table.position()), (vec![], Some(Position::new(1, 2))));

        let policy = drain(Policy { on_expiry: OnLoss::Oldest, ..Policy::default() });
        world.poller_with(policy).follow("decided", LONG).await.expect("drained");
        assert_eq!((published(&world), world.table.position()), (vec![4, 5], Some(Position::new(5, 2))));
    }
}

#[tokio::test]
async fn a_gap_that_lasts_stops_behind_what_is_before_it_or_is_skipped() {
    let world = World::new();
    world.five_commits().await;
    world.fault(Fault::Gap { commit_num: 3 }, 0).await;
    let stop = world.drain().await.expect_err("stopped");
    let (expected, got) = (Position::new(3, 1), Position::new(4, 1));
    assert!(matches!(stop, RunError::Gap { expected: e, got: g } if (e, g) == (expected, got)), "{stop}");
    assert_eq!((published(&world), world.table.position()), (vec![1, 2], Some(Position::new(2, 2))));

    let policy = drain(Policy { on_gap: OnGap::Skip, ..Policy::default() });
    world.poller_with(policy).follow("decided", LONG).await.expect("drained");
    assert_eq!(published(&world), [1, 2, 4, 5]);
}

#[tokio::test]
async fn a_fast_reset_stops_or_begins_a_new_generation() {
    let world = World::new();
    world.five_commits().await;
    world.drain().await.expect("drained");
    world.graph.reset().await.expect("reset");
    world.add_person(1).await;
    let stop = world.drain().await.expect_err("stopped");
    assert!(matches!(stop, RunError::Reset { head } if head == Position::new(1, 2)), "{stop}");

    let policy = drain(Policy { on_reset: OnLoss::Oldest, ..Policy::default() });
    world.poller_with(policy).follow("decided", LONG).await.expect("drained");
    let accepted = world.bus.accepted();
    assert_eq!((accepted.len(), world.table.position()), (6, Some(Position::new(1, 2))));
    // The same commit number as before, and yet news to everybody.
    assert!(accepted[5].body.contains(r#""id":"main.1/1/1""#), "{}", accepted[5].body);
    world.add_person(2).await;
    world.drain().await.expect("drained");
    assert!(world.bus.accepted()[6].body.contains(r#""id":"main.1/2/1""#));
}
