use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashSet},
    rc::Rc,
    time::{Duration, Instant},
};

use function_kit::failure::Failure;
use stream_poller::{
    Entry, Message,
    bus::{Bus, PublishOutcome},
};
use tokio::time::sleep;

use crate::world::Random;

/// A FIFO topic and its dead letters: knows a second delivery, and fails on demand.
#[derive(Clone, Default)]
pub struct MemoryBus(Rc<State>);

#[derive(Default)]
struct State {
    accepted: RefCell<Vec<(Instant, Message)>>,
    known: RefCell<HashSet<String>>,
    buried: RefCell<Vec<Message>>,
    random: RefCell<Option<Random>>,
    latency: Cell<Duration>,
    refuses: RefCell<Option<String>>,
    is_down: Cell<bool>,
    calls: Cell<usize>,
}

impl MemoryBus {
    /// From now on entries fail, calls fail, and answers get lost after all was accepted.
    pub fn trouble(&self, seed: u64) {
        *self.0.random.borrow_mut() = Some(Random::new(seed));
    }

    pub fn calm(&self) {
        *self.0.random.borrow_mut() = None;
    }

    pub fn set_latency(&self, latency: Duration) {
        self.0.latency.set(latency);
    }

    /// Messages whose body has this text are refused.
    pub fn refuse(&self, text: &str) {
        *self.0.refuses.borrow_mut() = Some(text.to_owned());
    }

    /// Every call fails, until it is up again.
    pub fn set_down(&self, is_down: bool) {
        self.0.is_down.set(is_down);
    }

    /// What was accepted, in order, each once.
    pub fn accepted(&self) -> Vec<Message> {
        self.0.accepted.borrow().iter().map(|(_, message)| message.clone()).collect()
    }

    pub fn accepted_at(&self) -> Vec<(Instant, Message)> {
        self.0.accepted.borrow().clone()
    }

    pub fn buried(&self) -> Vec<Message> {
        self.0.buried.borrow().clone()
    }

    pub fn calls(&self) -> usize {
        self.0.calls.get()
    }

    /// The bodies of each group, in order.
    pub fn by_group(&self) -> BTreeMap<String, Vec<String>> {
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for message in self.accepted() {
            groups.entry(message.group).or_default().push(message.body);
        }
        groups
    }

    fn chance(&self, one_in: u64) -> bool {
        self.0.random.borrow_mut().as_mut().is_some_and(|random| random.below(one_in) == 0)
    }

    fn accept(&self, message: &Message) {
        if self.0.known.borrow_mut().insert(message.deduplication_id.clone()) {
            self.0.accepted.borrow_mut().push((Instant::now(), message.clone()));
        }
    }

    fn refuses(&self, message: &Message) -> bool {
        self.0.refuses.borrow().as_ref().is_some_and(|text| message.body.contains(text))
    }
}

impl Bus for MemoryBus {
    async fn publish(&self, entries: &[Entry]) -> Vec<PublishOutcome> {
        let bytes: usize = entries.iter().map(|entry| entry.message.body.len()).sum();
        let groups: HashSet<_> = entries.iter().map(|entry| &entry.message.group).collect();
        assert!(entries.len() <= 10 && bytes <= 262_144, "{} entries, {bytes} bytes", entries.len());
        assert_eq!(groups.len(), entries.len(), "one of a group: the others would overtake it if it failed");
        self.0.calls.set(self.0.calls.get() + 1);
        let again = || PublishOutcome::Again("InternalError".to_owned());
        // A crash may come before the bus has them, and after.
        sleep(self.0.latency.get()).await;
        if self.0.is_down.get() || self.chance(8) {
            return entries.iter().map(|_| again()).collect();
        }
        let verdicts = entries.iter().map(|Entry { message, .. }| {
            if self.refuses(message) {
                PublishOutcome::Refused("InvalidParameter".to_owned())
            } else if self.chance(8) {
                again()
            } else {
                self.accept(message);
                PublishOutcome::Accepted
            }
        });
        let verdicts: Vec<_> = verdicts.collect();
        sleep(self.0.latency.get()).await;
        // The answer gets lost: accepted, and sent again.
        if self.chance(8) { entries.iter().map(|_| again()).collect() } else { verdicts }
    }

    async fn bury(&self, entry: &Entry, _: &str) -> Result<(), Failure> {
        if self.chance(4) {
            return Err(Failure::transient("bury", "later"));
        }
        self.0.buried.borrow_mut().push(entry.message.clone());
        Ok(())
    }
}
