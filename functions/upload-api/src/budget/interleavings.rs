//! Every order of parallel starts of one person, call by call. The budgets are those of production, the tables are in
//! memory.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use ::interleavings::{Actor, Bounds, Explored, Gate, Scenario, Violation, explore};
use store::quotas::Pending;

use super::*;

/// The tables. Each call is one step.
#[derive(Clone)]
struct Memory {
    gate: Gate,
    state: Rc<State>,
}

#[derive(Default)]
struct State {
    row: RefCell<Pending>,
    revisions: Cell<u64>,
    uploads_today: Cell<u64>,
    /// Items that have been processed.
    processed: Vec<MediaId>,
    /// The condition of a note is left out.
    is_unconditional: bool,
}

impl Ledger for Memory {
    async fn pending(&self, _: &str, _: Timestamp) -> Result<Pending, Failure> {
        self.gate.pass("read").await;
        Ok(self.state.row.borrow().clone())
    }

    async fn note(&self, _: &str, read: &Pending, uploads: &[NotedUpload], _: Timestamp) -> Result<bool, Failure> {
        self.gate.pass("note").await;
        let mut row = self.state.row.borrow_mut();
        if row.revision != read.revision && !self.state.is_unconditional {
            return Ok(false);
        }
        self.state.revisions.update(|revision| revision + 1);
        let mut uploads = uploads.to_vec();
        if self.state.is_unconditional {
            // As a row for each upload, which no other start overwrites.
            let others = row.uploads.iter().filter(|other| !read.uploads.contains(other));
            uploads.extend(others.cloned());
        }
        *row = Pending { uploads, revision: Some(self.state.revisions.get().to_string()) };
        Ok(true)
    }

    async fn count(&self, _: &str, _: u64, budget: &Budget, _: Timestamp) -> Result<bool, Failure> {
        self.gate.pass("count").await;
        let is_allowed = self.state.uploads_today.get() < budget.uploads_per_day;
        if is_allowed {
            self.state.uploads_today.update(|uploads| uploads + 1);
        }
        Ok(is_allowed)
    }

    async fn uncount(&self, _: &str, _: u64, _: Timestamp) -> Result<(), Failure> {
        self.gate.pass("uncount").await;
        self.state.uploads_today.update(|uploads| uploads - 1);
        Ok(())
    }

    async fn are_processed(&self, ids: &[MediaId]) -> Result<HashMap<MediaId, bool>, Failure> {
        self.gate.pass("look at items").await;
        Ok(ids.iter().filter(|id| self.state.processed.contains(id)).map(|id| (*id, true)).collect())
    }
}

/// The answer to a start: the lane, or `None` if it was refused.
type Answer = (&'static str, Option<Lane>);

/// Parallel starts of recordings. Each is a name, by which its idempotency key differs.
struct Starts {
    memory: Memory,
    budget: Budget,
    names: &'static [&'static str],
    answers: Rc<RefCell<Vec<Answer>>>,
    has_crashed: bool,
    /// The accepted ones and those in the fast lane, without a crash.
    expected: (usize, usize),
}

impl Starts {
    fn new(gate: Gate, names: &'static [&'static str], budget: Budget, expected: (usize, usize), state: State) -> Self {
        let memory = Memory { gate, state: Rc::new(state) };
        Self { memory, budget, names, answers: Rc::default(), has_crashed: false, expected }
    }
}

impl Scenario for Starts {
    fn start(&mut self) -> Vec<Actor> {
        let start = |name: &'static str| -> Actor {
            let (ledger, answers, budget) = (self.memory.clone(), self.answers.clone(), self.budget);
            Box::pin(async move {
                let budgets = Budgets { ledger, budget };
                let taken = budgets.take("mina", (Kind::Audio, id(name)), 7, Timestamp::UNIX_EPOCH).await;
                answers.borrow_mut().push((name, taken.expect("an answer").ok()));
            })
        };
        std::mem::take(&mut self.names).iter().map(|name| start(name)).collect()
    }

    fn crashed(&mut self, _: usize) {
        self.has_crashed = true;
    }

    fn check(&self) -> Result<(), String> {
        let answers = self.answers.borrow();
        let noted = self.memory.state.row.borrow().uploads.clone();
        let accepted: HashMap<_, _> = answers.iter().filter_map(|(name, lane)| Some((*name, (*lane)?))).collect();
        for (name, lane) in answers.iter().filter_map(|(name, lane)| Some((name, (*lane)?))) {
            if !noted.iter().any(|noted| noted.upload.media_id == id(name) && noted.upload.lane == lane) {
                return Err(format!("{name} has the answer {lane:?} and no note"));
            }
        }
        let fast = noted.iter().filter(|noted| noted.upload.lane == Lane::Fast).count();
        let counted = self.memory.state.uploads_today.get();
        let found = (noted.len(), fast);
        let is_within = found.0 <= self.budget.pending && found.1 <= self.budget.fast_recordings;
        let started = noted.iter().filter(|noted| noted.expires_at > Timestamp::UNIX_EPOCH).count() as u64;
        if !is_within || started > counted {
            return Err(format!("{found:?} noted, {counted} counted: {answers:?}"));
        }
        // Nothing is refused or counted without need.
        let is_exact = (accepted.len(), started) == (self.expected.0, counted) && fast == self.expected.1;
        if self.has_crashed || is_exact {
            Ok(())
        } else {
            Err(format!("{found:?} noted, {counted} counted: {answers:?}"))
        }
    }
}

fn id(name: &str) -> MediaId {
    MediaId::of_key(&format!("audio/mina/{name}"))
}

fn budget(pending: usize, fast_recordings: usize) -> Budget {
    Budget { uploads_per_day: 100, bytes_per_day: 1 << 40, pending, fast_recordings }
}

fn run(
    bounds: Bounds,
    names: &'static [&'static str],
    budget: Budget,
    expected: (usize, usize),
    state: impl Fn() -> State,
) -> Result<Explored, Violation> {
    explore(bounds, |gate| Starts::new(gate, names, budget, expected, state()))
}

#[test]
fn parallel_starts_stay_within_the_budget_in_every_order() {
    let crash = Bounds { preemptions: 3, crashes: 1 };
    let three = Bounds { preemptions: 4, crashes: 0 };
    for (what, bounds, names, budget, expected) in [
        ("two starts, room for one", Bounds::ALL, &["a", "b"][..], budget(1, 1), (1, 1)),
        ("two starts, one of them fast", Bounds::ALL, &["a", "b"], budget(2, 1), (2, 1)),
        ("three starts, room for two, one of them fast", three, &["a", "b", "c"], budget(2, 1), (2, 1)),
        ("one start and its retry", Bounds::ALL, &["a", "a"], budget(1, 1), (1, 1)),
        ("a start and its retry, and another one", three, &["a", "a", "b"], budget(2, 1), (2, 1)),
        ("two starts, room for one, a crash", crash, &["a", "b"], budget(1, 1), (1, 1)),
        (
            "the last start of the day twice",
            Bounds::ALL,
            &["a", "b"],
            Budget { uploads_per_day: 1, ..budget(9, 9) },
            (1, 1),
        ),
    ] {
        let explored = run(bounds, names, budget, expected, State::default);
        let Explored { executions, .. } = explored.unwrap_or_else(|violation| panic!("{what}: {violation:?}"));
        println!("{what}: {executions} orders");
    }
}

#[test]
fn parallel_starts_take_the_place_of_finished_uploads_once() {
    // One recording is finished, so that there is room for one more.
    let state = || {
        let upload = |name: &str| NotedUpload {
            upload: PendingUpload {
                media_id: id(name),
                kind: Kind::Audio,
                lane: Lane::Fast,
                signed_until: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60),
            },
            expires_at: Timestamp::UNIX_EPOCH,
        };
        let row = Pending { uploads: vec![upload("finished"), upload("waiting")], revision: Some("0".to_owned()) };
        State { row: RefCell::new(row), processed: vec![id("finished")], ..State::default() }
    };
    let explored = run(Bounds::ALL, &["a", "b"], budget(2, 2), (1, 2), state).expect("no violation");
    println!("two starts, one place: {} orders", explored.executions);
}

#[test]
fn note_without_its_condition_exceeds_the_budget() {
    for (budget, expected) in [(budget(1, 9), (1, 1)), (budget(9, 1), (2, 1))] {
        let unconditional = || State { is_unconditional: true, ..State::default() };
        let violation = run(Bounds { preemptions: 1, crashes: 0 }, &["a", "b"], budget, expected, unconditional);
        println!("{:?}", violation.expect_err("a violation"));
    }
}
