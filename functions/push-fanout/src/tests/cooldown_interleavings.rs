//! Two edges between the same vertices, of which one is removed, in every order of calls within bounds.

use interleavings::{Bounds, Gate, explore, sample};

use super::{
    changes::{add_edge, of_edge, remove_edge},
    in_memory_backend::InMemoryBackend,
    interleavings::{Invocations, each_once, set_up},
};

/// A like that is taken back, and added again by another edge, with a crash. The removal is a process of its own: a batch
/// applies it before its group's first message is tried again.
fn toggled(gate: Gate) -> Invocations {
    toggled_on(InMemoryBackend::behind(
        gate,
        &["apply", "look up", "claim cooldown", "claim", "publish", "finish claim"],
    ))
}

fn toggled_on(backend: InMemoryBackend) -> Invocations {
    backend.add_device("mina", "phone");
    set_up(&backend, &[add_edge(1, "told", "mina", "s1")]);
    let groups = [
        [of_edge("l1", 0, add_edge(10, "likes", "jun", "s1"))],
        [of_edge("l1", 1, remove_edge(11, "likes", "jun", "s1"))],
        [of_edge("l2", 2, add_edge(12, "likes", "jun", "s1"))],
    ];
    let check = |users: &[String], has_crashed: bool| each_once(users, has_crashed, &["mina"]);
    let mut scenario = Invocations::new(backend, &groups.each_ref().map(|group| &group[..]), check);
    scenario.check_backend = |backend| {
        let inbox = backend.inbox.of("mina");
        let expected = [("like-story:s1".to_owned(), vec!["jun".to_owned()])];
        if inbox == expected { Ok(()) } else { Err(format!("in the inbox: {inbox:?}")) }
    };
    scenario
}

#[test]
fn toggled_like_is_pushed_once() {
    let mut executions = Vec::new();
    for bounds in [Bounds { preemptions: 3, crashes: 0 }, Bounds { preemptions: 2, crashes: 1 }] {
        executions.push(explore(bounds, toggled).expect("no violation").executions);
    }
    sample(5_000, Bounds { preemptions: usize::MAX, crashes: 1 }, toggled).expect("no violation");
    assert_eq!(executions, [2_894, 8_978]);
}

/// Two edges of which none is removed: both events are processed at the same time.
fn doubled(gate: Gate) -> Invocations {
    doubled_on(InMemoryBackend::behind(gate, &["look up", "claim cooldown", "claim", "publish", "finish claim"]))
}

fn doubled_on(backend: InMemoryBackend) -> Invocations {
    backend.add_device("mina", "phone");
    set_up(&backend, &[add_edge(1, "told", "mina", "s1")]);
    let groups =
        [("l1", 10), ("l2", 11)].map(|(edge, commit)| [of_edge(edge, 0, add_edge(commit, "likes", "jun", "s1"))]);
    let check = |users: &[String], has_crashed: bool| each_once(users, has_crashed, &["mina"]);
    Invocations::new(backend, &groups.each_ref().map(|group| &group[..]), check)
}

#[test]
fn two_edges_at_the_same_time_are_pushed_once() {
    let all = explore(Bounds::ALL, doubled).expect("no violation").executions;
    let with_crash = explore(Bounds { preemptions: 2, crashes: 1 }, doubled).expect("no violation").executions;
    assert_eq!([all, with_crash], [3_532, 1_802]);
}

/// The same with another owner of the story.
fn toggled_for_two(gate: Gate) -> Invocations {
    let backend =
        InMemoryBackend::behind(gate, &["apply", "look up", "claim cooldown", "claim", "publish", "finish claim"]);
    for owner in ["mina", "noa"] {
        backend.add_device(owner, "phone");
    }
    set_up(&backend, &[add_edge(1, "told", "mina", "s1"), add_edge(2, "told", "noa", "s1")]);
    let groups = [
        [of_edge("l1", 0, add_edge(10, "likes", "jun", "s1"))],
        [of_edge("l1", 1, remove_edge(11, "likes", "jun", "s1"))],
        [of_edge("l2", 2, add_edge(12, "likes", "jun", "s1"))],
    ];
    let check = |users: &[String], has_crashed: bool| each_once(users, has_crashed, &["mina", "noa"]);
    Invocations::new(backend, &groups.each_ref().map(|group| &group[..]), check)
}

#[test]
fn toggled_like_is_pushed_once_to_each_owner() {
    let all = explore(Bounds { preemptions: 2, crashes: 0 }, toggled_for_two).expect("no violation").executions;
    let with_crash = explore(Bounds { preemptions: 1, crashes: 1 }, toggled_for_two).expect("no violation").executions;
    sample(2_000, Bounds { preemptions: usize::MAX, crashes: 1 }, toggled_for_two).expect("no violation");
    assert_eq!([all, with_crash], [1_301, 2_589]);
}

/// The test's own proof: both likes are pushed if claims in the name of the cooldown's event exclude nothing.
#[test]
fn violation_is_found_without_claims_in_the_cooldown() {
    let defective = |gate: Gate| {
        let backend = InMemoryBackend::behind(gate, &["look up", "claim cooldown", "claim", "publish", "finish claim"]);
        backend.claims_ignore_others.set(true);
        doubled_on(backend)
    };
    explore(Bounds::ALL, defective).expect_err("a violation");
}
