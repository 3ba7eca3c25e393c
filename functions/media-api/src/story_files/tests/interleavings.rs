//! A story, one of its files and their owner: changes, messages, events and reports in any order, call by call, with crashes.
//!
//! All orders within bounds are run of what happens at the queue, random ones of everything. Only the second pass over a story
//! comes last, as it is delayed.

use std::{
    cell::Cell,
    collections::VecDeque,
    rc::Rc,
    task::{Context, Waker},
};

use ::interleavings::{Actor, Bounds, Gate, Scenario, explore, sample};
use domain::media::{MediaItem, State, Visibility};
use proptest::prelude::*;

use super::{
    super::handle,
    memory::{Memory, Sent},
};
use crate::visibility;

/// Something that happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occurrence {
    /// A commit sets the visibility of the story, or removes it.
    Visibility(u64, Option<&'static str>),
    /// A commit adds the author.
    Told(u64),
    /// The owner uploads the file.
    Upload(Visibility),
    /// The owner's request.
    Put(Visibility),
}

use Occurrence::{Put, Told, Upload};

const PUBLIC: Option<&str> = Some("public");
const PRIVATE: Option<&str> = Some("private");

#[derive(Debug, Clone)]
enum Task {
    Occurrence(Occurrence),
    Sent(Sent),
    /// The worker's part of an event.
    Process(u8),
}

/// When events, reports and the index come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// At any time.
    Any,
    /// One by one, when nothing else happens.
    Calm,
    /// The same, and the index only after what has happened before.
    Lagging,
}

struct History {
    memory: Memory,
    waiting: Vec<Task>,
    order: Order,
    /// What comes when nothing else happens.
    later: VecDeque<Task>,
    is_set_up: bool,
    /// By number of the actor.
    started: Vec<Task>,
    running: Rc<Cell<usize>>,
    widest: Visibility,
    occurrences: usize,
    /// A defect: the second pass is lost.
    has_one_pass: bool,
}

impl History {
    /// `before` has ended when `occurrences` begin, except the index if it lags.
    fn new(gate: Gate, order: Order, before: &[Occurrence], occurrences: &[Occurrence]) -> Self {
        let all = || before.iter().chain(occurrences);
        let visibility = |occurrence: &Occurrence| match *occurrence {
            Occurrence::Visibility(_, text) => text.and_then(|text| text.parse().ok()).unwrap_or(Visibility::Private),
            Upload(visibility) | Put(visibility) => visibility,
            Told(_) => Visibility::Private,
        };
        let wider = |a: Visibility, b: Visibility| if b.is_wider_than(a) { b } else { a };
        let mut history = Self {
            memory: Memory::behind(gate),
            waiting: before.iter().copied().map(Task::Occurrence).collect(),
            order,
            later: VecDeque::new(),
            is_set_up: false,
            started: Vec::new(),
            running: Rc::default(),
            widest: all().map(visibility).fold(Visibility::Private, wider),
            occurrences: all().count(),
            has_one_pass: false,
        };
        // The gate is open.
        loop {
            let actors = history.start();
            if actors.is_empty() {
                break;
            }
            for mut actor in actors {
                let polled = actor.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(polled.is_ready(), "waits behind an open gate");
            }
        }
        history.started.clear();
        history.is_set_up = true;
        history.waiting = occurrences.iter().copied().map(Task::Occurrence).collect();
        history
    }

    fn actor(&self, task: Task) -> Actor {
        let (memory, running) = (self.memory.clone(), self.running.clone());
        running.set(running.get() + 1);
        Box::pin(async move {
            match task {
                Task::Occurrence(Occurrence::Visibility(commit, value)) => {
                    memory.project("visibility", commit, value).await;
                }
                Task::Occurrence(Told(commit)) => memory.project("owner#e", commit, Some("told mina")).await,
                Task::Occurrence(Upload(visibility)) => memory.upload(visibility).await,
                Task::Occurrence(Put(visibility)) => {
                    // 409 is an answer, too.
                    if let Some(item) = memory.row() {
                        let _ = visibility::set(&memory, &memory, &item, visibility).await;
                    }
                }
                Task::Sent(Sent::Message(body)) => handle(&memory, &body).await.expect("handled"),
                Task::Sent(Sent::Event(version)) => memory.record(version).await,
                Task::Sent(Sent::Report(version, visibility)) => memory.fold(version, visibility).await,
                Task::Sent(Sent::Index) => memory.index().await,
                Task::Process(version) => memory.process(version).await,
            }
            running.set(running.get() - 1);
        })
    }
}

impl Scenario for History {
    fn start(&mut self) -> Vec<Actor> {
        let mut tasks = std::mem::take(&mut self.waiting);
        let world = self.memory.world();
        for sent in world.sent.take() {
            let process = if let Sent::Event(version) = sent { Some(Task::Process(version)) } else { None };
            let is_later = self.order != Order::Any && !matches!(sent, Sent::Message(_));
            let all = [Task::Sent(sent)].into_iter().chain(process);
            if is_later { self.later.extend(all) } else { tasks.extend(all) }
        }
        if tasks.is_empty() && self.running.get() == 0 {
            let can_come = |task: &Task| {
                self.is_set_up || self.order != Order::Lagging || !matches!(task, Task::Sent(Sent::Index))
            };
            match self.later.iter().position(can_come).and_then(|first| self.later.remove(first)) {
                Some(task) => tasks.push(task),
                None => {
                    let delayed = world.delayed.take().into_iter().filter(|_| !self.has_one_pass);
                    tasks.extend(delayed.map(Task::Sent));
                }
            }
        }
        self.started.extend(tasks.iter().cloned());
        tasks.into_iter().map(|task| self.actor(task)).collect()
    }

    fn crashed(&mut self, actor: usize) {
        self.running.set(self.running.get() - 1);
        let task = self.started[actor].clone();
        // The owner sends no request again, and S3 stores an object once.
        if !matches!(task, Task::Occurrence(Put(_) | Upload(_))) {
            self.waiting.push(task);
        }
    }

    fn check(&self) -> Result<(), String> {
        let (Some(object), Some(MediaItem { state, .. })) = (self.memory.object(), self.memory.row()) else {
            return Ok(());
        };
        let row = state.upload().map(|upload| upload.declared.intent.visibility);
        if row != Some(object) || matches!(state, State::Processing(_)) {
            return Err(format!("the original is {object:?}, the item {state:?}"));
        }
        let story = self.memory.story().and_then(|story| story.visibility_for("mina"));
        if story.is_some_and(|story| story != object) {
            return Err(format!("the story is {story:?}, the file {object:?}"));
        }
        let copied = self.memory.world().copied.borrow();
        if copied.iter().any(|visibility| visibility.is_wider_than(self.widest)) {
            return Err(format!("copies were {copied:?}"));
        }
        // Copies do not cause copies.
        if copied.len() > 2 * self.occurrences {
            return Err(format!("{} occurrences caused {} copies", self.occurrences, copied.len()));
        }
        Ok(())
    }
}

const VISIBLE: Occurrence = Occurrence::Visibility(2, PUBLIC);
const HIDDEN: Occurrence = Occurrence::Visibility(3, PRIVATE);

/// The bound on preemptions, what has ended before, and what happens at the same time.
const HISTORIES: [(usize, &[Occurrence], &[Occurrence]); 4] = [
    // The story is shown and hidden, in any order.
    (1, &[Told(1), Upload(Visibility::Followers)], &[VISIBLE, HIDDEN]),
    (3, &[Told(1), Upload(Visibility::Private), HIDDEN], &[Occurrence::Visibility(4, PUBLIC)]),
    // The story gets its author.
    (1, &[Upload(Visibility::Public)], &[HIDDEN, Told(4)]),
    // The owner changes a file that gets into a story.
    (3, &[Told(1), Upload(Visibility::Followers)], &[Put(Visibility::Public), HIDDEN]),
];

#[test]
fn file_ends_with_the_visibility_of_its_story_in_every_order() {
    let executions = HISTORIES.map(|(preemptions, before, occurrences)| {
        let new = |gate| History::new(gate, Order::Calm, before, occurrences);
        let bounds = [Bounds { preemptions, crashes: 0 }, Bounds { preemptions: preemptions - 1, crashes: 1 }];
        bounds.map(|bounds| explore(bounds, new).expect("no violation").executions)
    });
    assert_eq!(executions, [[2_980, 10_812], [8, 537], [1_732, 6_394], [263, 7_254]]);
}

/// The test's own proof: the file stays as it is if it is not looked at after it was stored, or the index lags.
#[test]
fn violation_is_found_without_the_look_at_the_item_or_the_second_pass() {
    let bounds = Bounds { preemptions: 0, crashes: 0 };
    let one_pass = |gate| {
        let history = History::new(gate, Order::Lagging, &[Told(1), Upload(Visibility::Public)], &[HIDDEN]);
        History { has_one_pass: true, ..history }
    };
    explore(bounds, one_pass).expect_err("a violation");
    let unsent = |gate| {
        let history = History::new(gate, Order::Calm, &[Told(1), HIDDEN], &[Upload(Visibility::Public)]);
        history.memory.world().items_are_not_sent.set(true);
        history
    };
    explore(bounds, unsent).expect_err("a violation");
}

fn occurrence() -> impl Strategy<Value = Occurrence> {
    let visibility = || prop::sample::select(&Visibility::ALL[..]);
    let texts = vec![PUBLIC, Some("followers"), PRIVATE, Some("friends"), None];
    prop_oneof![
        3 => (1..6u64, prop::sample::select(texts)).prop_map(|(commit, text)| Occurrence::Visibility(commit, text)),
        1 => Just(Told(1)),
        1 => visibility().prop_map(Put),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_history_in_any_order_ends_with_the_visibility_of_the_story(
        declared in prop::sample::select(&Visibility::ALL[..]),
        mut occurrences in prop::collection::vec(occurrence(), 1..6),
    ) {
        // A register has one value at a position.
        let mut seen = Vec::new();
        occurrences.retain(|occurrence| match occurrence {
            Occurrence::Visibility(commit, text) => {
                let is_new = !seen.iter().any(|(known, value)| known == commit && value != text);
                seen.push((*commit, *text));
                is_new
            }
            _ => true,
        });
        occurrences.push(Upload(declared));
        let new = |gate| History::new(gate, Order::Any, &[], &occurrences);
        let explored = sample(50, Bounds { preemptions: usize::MAX, crashes: 2 }, new);
        prop_assert!(explored.is_ok(), "{:?}", explored.err());
    }
}
