//! Concurrent invocations, in every order of their calls within bounds, and in random orders. Each test asserts how many
//! orders it has run.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

use domain::graph::Change;
use interleavings::{Actor, Bounds, Explored, Gate, Scenario, Violation, explore, sample};
use jiff::SignedDuration;

use super::{
    changes::{add_edge, add_story, set_visibility},
    fixtures::transient,
    in_memory_backend::InMemoryBackend,
};
use crate::message::Continuation;

/// Work of one actor.
#[derive(Clone)]
enum Work {
    /// Messages of one FIFO group, each in a batch of its own.
    Group(Vec<Change>),
    Continuation(Box<Continuation>),
}

/// Invocations of the function for FIFO groups and continuations. Failed and crashed ones are delivered again after the
/// visibility timeout, when no other invocation runs.
pub struct Invocations {
    shared: Rc<Shared>,
    /// The work of each actor.
    works: Vec<Work>,
    /// Checks the users who were notified, and whether an invocation crashed.
    check: fn(&[String], bool) -> Result<(), String>,
    /// Checks the final state.
    pub check_backend: fn(&InMemoryBackend) -> Result<(), String>,
    has_crashed: bool,
}

struct Shared {
    backend: InMemoryBackend,
    active: Cell<usize>,
    /// Work that can start.
    ready: RefCell<Vec<Work>>,
    /// Work to be delivered again.
    returned: RefCell<Vec<Work>>,
}

impl Invocations {
    pub fn new(
        backend: InMemoryBackend,
        groups: &[&[Change]],
        check: fn(&[String], bool) -> Result<(), String>,
    ) -> Self {
        let ready = groups.iter().map(|group| Work::Group(group.to_vec())).collect();
        let shared = Shared { backend, active: Cell::new(0), ready: RefCell::new(ready), returned: RefCell::default() };
        Self { shared: Rc::new(shared), works: Vec::new(), check, check_backend: |_| Ok(()), has_crashed: false }
    }
}

impl Shared {
    async fn invoke(&self, work: Work) {
        match work {
            Work::Group(changes) => {
                for (number, change) in changes.iter().enumerate() {
                    if !self.backend.deliver_changes(std::slice::from_ref(change)).await.is_empty() {
                        self.returned.borrow_mut().push(Work::Group(changes[number..].to_vec()));
                        break;
                    }
                }
            }
            Work::Continuation(continuation) => {
                if !self.backend.deliver_continuation(&continuation).await.is_empty() {
                    self.returned.borrow_mut().push(Work::Continuation(continuation));
                }
            }
        }
        self.active.set(self.active.get() - 1);
    }
}

impl Scenario for Invocations {
    fn start(&mut self) -> Vec<Actor> {
        let mut ready = self.shared.ready.take();
        ready.extend(
            std::iter::from_fn(|| self.shared.backend.dequeue())
                .map(|continuation| Work::Continuation(Box::new(continuation))),
        );
        if self.shared.active.get() == 0 && ready.is_empty() {
            ready = self.shared.returned.take();
            self.shared.backend.advance_clock(SignedDuration::from_secs(180));
            assert!(self.works.len() < 60, "deliveries do not end");
        }
        self.shared.active.set(self.shared.active.get() + ready.len());
        self.works.extend(ready.iter().cloned());
        let actor = |work: Work| -> Actor {
            let shared = self.shared.clone();
            Box::pin(async move { shared.invoke(work).await })
        };
        ready.into_iter().map(actor).collect()
    }

    fn crashed(&mut self, actor: usize) {
        self.has_crashed = true;
        self.shared.active.set(self.shared.active.get() - 1);
        self.shared.returned.borrow_mut().push(self.works[actor].clone());
    }

    fn check(&self) -> Result<(), String> {
        let pushes = self.shared.backend.pushes.borrow();
        let mut users: Vec<_> = pushes.iter().map(|push| push.user_and_rule().0).collect();
        users.sort();
        (self.check)(&users, self.has_crashed)?;
        (self.check_backend)(&self.shared.backend)
    }
}

/// Runs the setup, which needs no gate.
pub fn set_up(backend: &InMemoryBackend, changes: &[Change]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(backend.deliver_changes(changes)), []);
}

/// Each of `fans` exactly once; more than once only after a crash.
pub fn each_once(users: &[String], has_crashed: bool, fans: &[&str]) -> Result<(), String> {
    let reached: BTreeSet<_> = users.iter().map(String::as_str).collect();
    let is_right = reached == fans.iter().copied().collect() && (has_crashed || users.len() == fans.len());
    if is_right { Ok(()) } else { Err(format!("notified: {users:?}")) }
}

/// A story whose visibility changes while two followers, on a page each, are notified.
fn shown_again(gate: Gate, visibilities: &[Option<&str>]) -> Invocations {
    // The other calls only concern single recipients.
    let gated = ["apply", "look up", "pending page", "add pending", "drop pending", "followers", "enqueue"];
    let backend = InMemoryBackend::behind(gate, &gated);
    backend.page_size.set(1);
    for fan in ["fan1", "fan2"] {
        backend.add_device(fan, "phone");
    }
    set_up(&backend, &[add_edge(1, "follows", "fan1", "mina"), add_edge(2, "follows", "fan2", "mina")]);
    let mut story = vec![add_story(10, "s1", visibilities[0])];
    story.extend((20..).zip(&visibilities[1..]).map(|(commit_num, to)| set_visibility(commit_num, "s1", *to)));
    let check = |users: &[String], has_crashed: bool| each_once(users, has_crashed, &["fan1", "fan2"]);
    Invocations::new(backend, &[&[add_edge(11, "told", "mina", "s1")], &story], check)
}

const HIDDEN_AND_SHOWN: [Option<&str>; 3] = [None, Some("private"), Some("public")];

#[test]
fn story_hidden_while_pages_are_sent_reaches_all_when_shown_again() {
    let bounds = Bounds { preemptions: 3, crashes: 0 };
    for (visibilities, expected) in
        [(&HIDDEN_AND_SHOWN[..1], 521), (&[Some("private"), Some("public")][..], 860), (&HIDDEN_AND_SHOWN[..], 2_074)]
    {
        let explored = explore(bounds, |gate| shown_again(gate, visibilities)).expect("no violation");
        assert_eq!(explored.executions, expected);
    }
    sample(5_000, Bounds::ALL, |gate| shown_again(gate, &HIDDEN_AND_SHOWN)).expect("no violation");
}

/// Followers who join while the first page of two fails and is delivered again, with a crash.
fn joining_during_retry(gate: Gate) -> Invocations {
    let gated = ["apply", "followers", "decide page bound", "enqueue", "mark page enqueued", "publish"];
    let backend = InMemoryBackend::behind(gate, &gated);
    backend.page_size.set(2);
    for fan in ["fan1", "fan2", "fan3"] {
        backend.add_device(fan, "phone");
    }
    for (commit_num, fan) in (1..).zip(["fan1", "fan2", "fan3"]) {
        set_up(&backend, &[add_edge(commit_num, "follows", fan, "mina")]);
    }
    set_up(&backend, &[add_story(10, "s1", None)]);
    backend.fail_publish("fan2/phone", transient);
    // They sort before the failed follower.
    let joining: Vec<_> =
        (12..).zip(["fan1a", "fan1b"]).map(|(commit_num, fan)| add_edge(commit_num, "follows", fan, "mina")).collect();
    let check = |users: &[String], has_crashed: bool| each_once(users, has_crashed, &["fan1", "fan2", "fan3"]);
    Invocations::new(backend, &[&[add_edge(11, "told", "mina", "s1")], &joining], check)
}

#[test]
fn followers_who_join_during_a_retry_displace_no_others() {
    let mut executions = 0;
    for bounds in [Bounds { preemptions: 2, crashes: 0 }, Bounds { preemptions: 0, crashes: 1 }] {
        let explored = explore(bounds, joining_during_retry).expect("no violation");
        executions += explored.executions;
    }
    assert_eq!(executions, 336);
}

/// The test's own proof, as below.
#[test]
fn violation_is_found_when_the_end_of_a_page_moves() {
    let defective = |gate: Gate| {
        let scenario = joining_during_retry(gate);
        scenario.shared.backend.page_ends_move.set(true);
        scenario
    };
    explore(Bounds { preemptions: 2, crashes: 0 }, defective).expect_err("a violation");
}

/// One message that is delivered twice at the same time.
fn delivered_twice(gate: Gate) -> Invocations {
    let gated = ["delivery targets", "claim", "publish", "finish claim"];
    let backend = InMemoryBackend::behind(gate, &gated);
    backend.add_device("mina", "phone");
    set_up(&backend, &[add_edge(1, "told", "mina", "s1")]);
    let like = [add_edge(2, "likes", "jun", "s1")];
    Invocations::new(backend, &[&like, &like], |users, has_crashed| each_once(users, has_crashed, &["mina"]))
}

#[test]
fn message_delivered_twice_notifies_once() {
    let explored = explore(Bounds { preemptions: usize::MAX, crashes: 1 }, delivered_twice).expect("no violation");
    assert_eq!(explored.executions, 1_004);
}

/// A page of two followers that is delivered twice at the same time. Their claims are made in one batch, which is not
/// atomic: another process and a crash come between any two of its statements.
fn page_delivered_twice(gate: Gate) -> Invocations {
    let backend = InMemoryBackend::behind(gate, &["delivery targets", "claim", "publish", "finish claim"]);
    for (commit_num, fan) in (1..).zip(["fan1", "fan2"]) {
        backend.add_device(fan, "phone");
        set_up(&backend, &[add_edge(commit_num, "follows", fan, "mina")]);
    }
    set_up(&backend, &[add_story(10, "s1", None)]);
    let story = [add_edge(11, "told", "mina", "s1")];
    let check = |users: &[String], has_crashed: bool| each_once(users, has_crashed, &["fan1", "fan2"]);
    Invocations::new(backend, &[&story, &story], check)
}

#[test]
fn page_delivered_twice_notifies_each_follower_once() {
    let explored = explore(Bounds { preemptions: 3, crashes: 1 }, page_delivered_twice).expect("no violation");
    assert_eq!(explored.executions, 5_474);
}

/// The test's own proof, as below.
#[test]
fn violation_is_found_when_claims_are_unconditional() {
    let defective = |gate: Gate| {
        let scenario = page_delivered_twice(gate);
        scenario.shared.backend.claims_ignore_others.set(true);
        scenario
    };
    explore(Bounds { preemptions: 1, crashes: 0 }, defective).expect_err("a violation");
}

/// The test's own proof: with a defect, a violation is found.
#[test]
fn violation_is_found_when_a_process_drops_what_another_has_stored() {
    let defective = |gate: Gate| {
        let scenario = shown_again(gate, &HIDDEN_AND_SHOWN);
        scenario.shared.backend.drops_ignore_nonces.set(true);
        scenario
    };
    let violation: Result<Explored, Violation> = sample(5_000, Bounds::ALL, defective);
    violation.expect_err("a violation");
}
