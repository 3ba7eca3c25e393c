use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashSet},
    rc::Rc,
    time::{Duration, Instant},
};

use function_kit::failure::Failure;
use stream_poller::{
    Entry, Message,
    event_bus::{Bus, PublishOutcome},
};
use tokio::time::sleep;

use crate::random::Random;

/// An in-memory FIFO topic with a dead-letter queue. It removes duplicates and fails on demand.
#[derive(Clone, Default)]
pub struct MemoryBus(Rc<State>);

#[derive(Default)]
struct State {
    accepted: RefCell<Vec<(Instant, Message)>>,
    deduplication_ids: RefCell<HashSet<String>>,
    dead_letters: RefCell<Vec<Message>>,
    random: RefCell<Option<Random>>,
    latency: Cell<Duration>,
    rejected_text: RefCell<Option<String>>,
    is_down: Cell<bool>,
    calls: Cell<usize>,
}

impl MemoryBus {
    /// From now on, entries fail, calls fail, and responses of successful calls are lost.
    pub fn inject_failures(&self, seed: u64) {
        *self.0.random.borrow_mut() = Some(Random::new(seed));
    }

    pub fn stop_failures(&self) {
        *self.0.random.borrow_mut() = None;
    }

    pub fn set_latency(&self, latency: Duration) {
        self.0.latency.set(latency);
    }

    /// Rejects messages whose body contains this text.
    pub fn reject(&self, text: &str) {
        *self.0.rejected_text.borrow_mut() = Some(text.to_owned());
    }

    /// Lets all calls fail while down.
    pub fn set_down(&self, is_down: bool) {
        self.0.is_down.set(is_down);
    }

    /// The accepted messages in order, without duplicates.
    pub fn accepted(&self) -> Vec<Message> {
        self.0.accepted.borrow().iter().map(|(_, message)| message.clone()).collect()
    }

    pub fn accepted_at(&self) -> Vec<(Instant, Message)> {
        self.0.accepted.borrow().clone()
    }

    pub fn dead_letters(&self) -> Vec<Message> {
        self.0.dead_letters.borrow().clone()
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
        if self.0.deduplication_ids.borrow_mut().insert(message.deduplication_id.clone()) {
            self.0.accepted.borrow_mut().push((Instant::now(), message.clone()));
        }
    }

    fn is_rejected(&self, message: &Message) -> bool {
        self.0.rejected_text.borrow().as_ref().is_some_and(|text| message.body.contains(text))
    }
}

impl Bus for MemoryBus {
    async fn publish(&self, entries: &[Entry]) -> Vec<PublishOutcome> {
        let bytes: usize = entries.iter().map(|entry| entry.message.body.len()).sum();
        let groups: HashSet<_> = entries.iter().map(|entry| &entry.message.group).collect();
        assert!(entries.len() <= 10 && bytes <= 262_144, "{} entries, {bytes} bytes", entries.len());
        assert_eq!(groups.len(), entries.len(), "two messages of a group in one call may be reordered");
        self.0.calls.set(self.0.calls.get() + 1);
        let retry = || PublishOutcome::Retry("InternalError".to_owned());
        // The test may crash the poller before and after the bus accepts the messages.
        sleep(self.0.latency.get()).await;
        if self.0.is_down.get() || self.chance(8) {
            return entries.iter().map(|_| retry()).collect();
        }
        let outcomes = entries.iter().map(|Entry { message, .. }| {
            if self.is_rejected(message) {
                PublishOutcome::Rejected("InvalidParameter".to_owned())
            } else if self.chance(8) {
                retry()
            } else {
                self.accept(message);
                PublishOutcome::Accepted
            }
        });
        let outcomes: Vec<_> = outcomes.collect();
        sleep(self.0.latency.get()).await;
        // The response is lost, so accepted messages are sent again.
        if self.chance(8) { entries.iter().map(|_| retry()).collect() } else { outcomes }
    }

    async fn send_to_dlq(&self, entry: &Entry, _: &str) -> Result<(), Failure> {
        if self.chance(4) {
            return Err(Failure::transient("send to the dead-letter queue", "injected"));
        }
        self.0.dead_letters.borrow_mut().push(entry.message.clone());
        Ok(())
    }
}
