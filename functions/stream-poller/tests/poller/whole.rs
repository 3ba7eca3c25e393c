use std::time::Duration;

use domain::graph::Position;
use neptune::{Commit, Options};
use proptest::prelude::*;
use stream_poller::{
    policy::{Mode, Policy, StartAt},
    stop::RunOutcome,
};

use crate::world::{LONG, World, assert_tells_the_graph, change, commits, hasty, positions};

#[tokio::test]
async fn what_is_committed_is_published_and_the_checkpoint_is_behind_it() {
    let world = World::new();
    world.five_commits().await;
    let outcome = world.drain().await.expect("drained");
    assert_eq!((outcome.ending, outcome.done.changes), (RunOutcome::Drained, 5));
    let commits: Vec<_> = positions(&world.bus.accepted()).iter().map(|position| position.commit_num).collect();
    assert_eq!(commits.len(), 5);
    assert_eq!(world.table.position(), Some(Position::new(5, 2)));
    assert!(!world.table.is_held());

    let calls = world.bus.calls();
    world.drain().await.expect("drained");
    assert_eq!(world.bus.calls(), calls, "nothing is published twice");
}

#[tokio::test]
async fn the_latest_start_leaves_out_what_was_there_and_nothing_after_it() {
    let world = World::new();
    world.five_commits().await;
    let policy = Policy { mode: Mode::Drain, start_at: StartAt::Latest, ..Policy::default() };
    world.poller_with(policy).follow("first", LONG).await.expect("drained");
    assert!(world.bus.accepted().is_empty());
    assert_eq!(world.table.position(), Some(Position::new(5, 2)), "kept, though nothing came");
    world.add_person(6).await;
    world.poller_with(policy).follow("second", LONG).await.expect("drained");
    assert_eq!(positions(&world.bus.accepted()), [Position::new(6, 1)]);
}

#[tokio::test]
async fn older_engines_mark_no_ends_and_nothing_waits_for_the_next_commit() {
    let world = World::with(Options { marks_last_op: false, ..Options::default() });
    world.five_commits().await;
    world.drain().await.expect("drained");
    assert_eq!(world.bus.accepted().len(), 5);
}

#[tokio::test]
async fn a_transaction_beyond_all_bounds_comes_in_parts() {
    let world = World::new();
    let people = (0..40).fold(Commit::new(), |commit, number| commit.add_vertex(format!("p{number}"), ["person"]));
    world.commit(&people).await;
    world.drain().await.expect("drained");
    let accepted = world.bus.accepted();
    assert_eq!(accepted.len(), 40);
    assert!(accepted.iter().all(|message| change(message).position.commit_num == 1));
    assert_eq!(world.table.position(), Some(Position::new(1, 40)));
}

#[tokio::test]
async fn what_the_bus_refuses_goes_to_the_dead_letters_and_all_else_goes_on() {
    let world = World::new();
    world.five_commits().await;
    world.commit(&Commit::new().set("p2", "name", "poison")).await;
    world.commit(&Commit::new().set("p2", "name", "fine")).await;
    world.bus.refuse(r#""value":"poison"}]"#);
    world.bus.trouble(3);
    world.drain().await.expect("drained");
    let buried = world.bus.buried();
    // Both commits have the poison in them, before and after.
    assert!(buried.iter().all(|message| message.group == "vertex/p2") && !buried.is_empty(), "{buried:?}");
    assert_eq!(world.bus.accepted().len() + buried.len(), 7);
    assert_eq!(world.table.position(), Some(Position::new(7, 2)));
}

#[tokio::test]
async fn a_bus_that_refuses_everything_is_not_taken_for_poison() {
    let world = World::new();
    for number in 0..40 {
        world.add_person(number).await;
    }
    world.bus.refuse("specversion");
    let stop = world.drain().await.expect_err("stopped");
    assert_eq!(stop.kind(), "refused");
    assert!(world.bus.buried().len() <= hasty().max_refused_in_a_row as usize + 1, "{}", world.bus.buried().len());
    assert!(!world.table.is_held());
}

#[tokio::test]
async fn a_bus_that_is_down_holds_the_checkpoint_and_fails_the_invocation() {
    let world = World::new();
    world.five_commits().await;
    world.bus.set_down(true);
    let stop = world.poller(Mode::Follow).follow("down", Duration::from_millis(400)).await.expect_err("stopped");
    assert_eq!((stop.kind(), world.table.position()), ("publish", None));
    assert!(!world.table.is_held());
    world.bus.set_down(false);
    world.drain().await.expect("drained");
    assert_eq!(world.bus.accepted().len(), 5);
}

#[tokio::test]
async fn a_bus_that_hangs_holds_the_checkpoint_and_not_the_invocation() {
    let world = World::new();
    world.five_commits().await;
    world.bus.set_latency(Duration::from_secs(1));
    let ended = world.poller(Mode::Follow).follow("late", Duration::from_millis(400)).await.expect("late");
    assert_eq!((ended.ending, world.table.position()), (RunOutcome::Deadline, None));
    assert!(!world.table.is_held());
}

#[tokio::test]
async fn a_table_that_fails_for_a_while_loses_nothing() {
    let world = World::new();
    world.five_commits().await;
    world.table.fail(4);
    world.drain().await.expect("drained");
    assert_eq!((world.bus.accepted().len(), world.table.position()), (5, Some(Position::new(5, 2))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// However the history is cut into pages, and whatever fails on the way: the same changes, in
    /// the same order for each entity.
    #[test]
    fn any_cut_and_any_failure_gives_the_same_sequence_per_entity(
        seed in 0_u64..1_000_000,
        limit in 1_u32..40,
        calls in 1_usize..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new();
            for commit in commits(seed, 25) {
                world.commit(&commit).await;
            }
            let expected = world.expected().await;
            world.bus.trouble(seed);
            let mut poller = world.poller(Mode::Drain);
            poller.settings.page_limit = limit;
            poller.settings.max_calls = calls;
            poller.follow("any", LONG).await.expect("drained");
            assert_eq!(world.bus.by_group(), expected);
            assert_tells_the_graph(&world).await;
        });
    }
}
