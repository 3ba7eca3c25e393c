//! What waits for the bus: in order per entity, and as much at once as that allows.

use std::{collections::VecDeque, hash::BuildHasher, mem, time::Instant};

use domain::graph::Position;
use hashbrown::{DefaultHashBuilder, HashMap};

use crate::{message::Message, pack};

/// Messages on their way to the bus, and how far the bus has accepted them.
///
/// Of each group at most one message is under way at a time, or waits to be tried again: what comes
/// later of the same entity waits behind it. So nothing overtakes, also where of one call some
/// entries succeed and others fail. Messages of different groups do not wait for each other.
///
/// It knows no clock and does no I/O: who sends tells what became of it.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Transactions or parts of them, of which something is not accepted yet, in the stream's order.
    parts: VecDeque<Progress>,
    /// The number of the first of them.
    first: u64,
    /// The end of the last part with all before it accepted.
    accepted: Option<Position>,
    /// No message of their group is before them.
    ready: VecDeque<Entry>,
    /// To be tried again, not before that time.
    later: Vec<(Instant, Entry)>,
    /// By the hash of a group of which a message is ready, under way, or to be tried again: those
    /// behind it. Where two groups share a hash, they only wait for each other.
    behind: HashMap<u64, VecDeque<Entry>>,
    hasher: DefaultHashBuilder,
    bytes: usize,
}

#[derive(Debug)]
struct Progress {
    last: Position,
    committed_at_ms: i64,
    /// How many of its messages are not accepted.
    pending: usize,
}

/// A message on its way. Whoever takes one gives it back: settled, or to be tried again.
#[derive(Debug)]
#[must_use]
pub struct Entry {
    /// What is sent.
    pub message: Message,
    /// How often that failed.
    pub attempts: u32,
    part: u64,
    group: u64,
}

/// What is to be done next.
#[derive(Debug)]
pub enum NextAction {
    /// One call to the bus.
    Publish(Vec<Entry>),
    /// To the dead letters.
    Bury(Entry),
}

impl Outbox {
    /// Takes the messages of the next transaction, or part of one, which ends at `last`.
    pub fn push(&mut self, last: Position, committed_at_ms: i64, messages: Vec<Message>) {
        let part = self.first + self.parts.len() as u64;
        self.parts.push_back(Progress { last, committed_at_ms, pending: messages.len() });
        for message in messages {
            self.bytes += message.body.len();
            let group = self.hasher.hash_one(&message.group);
            let entry = Entry { message, attempts: 0, part, group };
            match self.behind.get_mut(&group) {
                Some(behind) => behind.push_back(entry),
                None => {
                    self.behind.insert(group, VecDeque::new());
                    self.ready.push_back(entry);
                }
            }
        }
        self.note_progress();
    }

    /// The next call to make, if there is one; then what was to be tried again `now` is in it.
    pub fn next(&mut self, now: Instant) -> Option<NextAction> {
        if !self.later.is_empty() {
            let (due, later) = mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
            self.later = later;
            // They are the oldest.
            for (_, entry) in Vec::into_iter(due).rev() {
                self.ready.push_front(entry);
            }
        }
        if self.ready.front()?.message.refused.is_some() {
            return self.ready.pop_front().map(NextAction::Bury);
        }
        let fine = self.ready.iter().take_while(|entry| entry.message.refused.is_none());
        let number = pack::fitting(fine.map(|entry| entry.message.body.len()));
        Some(NextAction::Publish(self.ready.drain(..number).collect()))
    }

    /// The bus, or the dead letters, have accepted it.
    pub fn settle(&mut self, entry: Entry) {
        self.bytes -= entry.message.body.len();
        if let Some(behind) = self.behind.get_mut(&entry.group) {
            match behind.pop_front() {
                // First: a busy entity has a long way to go, one by one.
                Some(next) => self.ready.push_front(next),
                None => {
                    self.behind.remove(&entry.group);
                }
            }
        }
        let at = entry.part.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(progress) = at.and_then(|at| self.parts.get_mut(at)) {
            progress.pending -= 1;
        }
        self.note_progress();
    }

    /// It failed, and is to be tried again at `at`.
    pub fn retry(&mut self, entry: Entry, at: Instant) {
        self.later.push((at, Entry { attempts: entry.attempts + 1, ..entry }));
    }

    /// When the next message is to be tried again.
    pub fn next_retry(&self) -> Option<Instant> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    /// Up to where everything is accepted; `None` if nothing was pushed that is.
    pub fn accepted(&self) -> Option<Position> {
        self.accepted
    }

    /// When the oldest transaction was committed that is not accepted, in milliseconds since 1970.
    pub fn oldest_ms(&self) -> Option<i64> {
        self.parts.front().map(|part| part.committed_at_ms)
    }

    /// Whether all is accepted.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The bytes of all bodies that are not accepted.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn note_progress(&mut self) {
        while let Some(part) = self.parts.pop_front_if(|part| part.pending == 0) {
            self.first += 1;
            self.accepted = Some(part.last);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn message(group: u8, number: usize) -> Message {
        Message {
            group: format!("vertex/{group}"),
            deduplication_id: number.to_string(),
            body: format!("{group}"),
            refused: None,
        }
    }

    fn publish(outbox: &mut Outbox, now: Instant) -> Option<Vec<Entry>> {
        outbox.next(now).map(|work| match work {
            NextAction::Publish(entries) => entries,
            NextAction::Bury(entry) => panic!("refused: {entry:?}"),
        })
    }

    #[test]
    fn messages_of_one_entity_go_one_after_the_other() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        outbox.push(Position::new(1, 2), 5, vec![message(1, 0), message(2, 1)]);
        outbox.push(Position::new(2, 1), 6, vec![message(1, 2)]);
        let first = publish(&mut outbox, now).expect("a call");
        assert_eq!(first.len(), 2);
        assert!(outbox.next(now).is_none(), "the third waits for the first");
        let mut first = first.into_iter();
        let (one, two) = (first.next().expect("one"), first.next().expect("two"));
        outbox.settle(two);
        assert_eq!((outbox.accepted(), outbox.oldest_ms()), (None, Some(5)));
        outbox.retry(one, now + Duration::from_secs(1));
        assert!(outbox.next(now).is_none(), "not yet");
        let again = publish(&mut outbox, now + Duration::from_secs(1)).expect("a call");
        assert_eq!(again[0].attempts, 1);
        again.into_iter().for_each(|entry| outbox.settle(entry));
        assert_eq!((outbox.accepted(), outbox.oldest_ms()), (Some(Position::new(1, 2)), Some(6)));
        publish(&mut outbox, now).expect("a call").into_iter().for_each(|entry| outbox.settle(entry));
        assert_eq!((outbox.accepted(), outbox.is_empty(), outbox.bytes()), (Some(Position::new(2, 1)), true, 0));
    }

    #[test]
    fn what_tells_nothing_is_accepted_at_once() {
        let mut outbox = Outbox::default();
        outbox.push(Position::new(7, 3), 0, vec![]);
        assert_eq!((outbox.accepted(), outbox.is_empty()), (Some(Position::new(7, 3)), true));
    }

    #[test]
    fn the_refused_go_their_own_way_in_their_turn() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        let refused = Message { refused: Some("too large".to_owned()), ..message(2, 1) };
        outbox.push(Position::new(1, 3), 0, vec![message(1, 0), refused, message(3, 2)]);
        assert_eq!(publish(&mut outbox, now).map(|entries| entries.len()), Some(1));
        let Some(NextAction::Bury(entry)) = outbox.next(now) else { panic!("a refused message") };
        assert_eq!(entry.message.group, "vertex/2");
        assert_eq!(publish(&mut outbox, now).map(|entries| entries.len()), Some(1));
    }

    proptest! {
        /// Calls end in any order, each entry succeeds or fails, and new parts come meanwhile.
        #[test]
        fn no_entity_is_ever_out_of_order_and_the_checkpoint_passes_nothing_unaccepted(
            parts in prop::collection::vec(prop::collection::vec(0_u8..4, 0..12), 1..20),
            steps in prop::collection::vec((any::<prop::sample::Index>(), any::<u16>(), 1..4_usize), 400),
        ) {
            let now = Instant::now();
            let mut outbox = Outbox::default();
            let mut waiting = parts.iter().enumerate();
            let (mut under_way, mut accepted) = (Vec::<Vec<Entry>>::new(), Vec::<Message>::new());
            let mut number = 0;
            // The numbers of the messages up to the end of each part.
            let ends: Vec<usize> = parts.iter().scan(0, |sum, part| { *sum += part.len(); Some(*sum) }).collect();
            let mut steps = steps.into_iter().cycle();
            while accepted.len() < ends[ends.len() - 1] || waiting.len() > 0 {
                let Some((which, mut failures, calls)) = steps.next() else { break };
                if let Some((at, part)) = waiting.next() {
                    let messages = part.iter().map(|group| { number += 1; message(*group, number) }).collect();
                    outbox.push(Position::new(at as u64 + 1, 1), 0, messages);
                }
                for _ in 0..calls {
                    under_way.extend(publish(&mut outbox, now));
                }
                if under_way.is_empty() {
                    continue;
                }
                // A rare step in which nothing fails, or this would not end.
                if accepted.len() % 7 == 0 { failures = 0; }
                let call = under_way.swap_remove(which.index(under_way.len()));
                for (at, entry) in call.into_iter().enumerate() {
                    if failures >> at & 1 == 1 {
                        outbox.retry(entry, now);
                    } else {
                        accepted.push(entry.message.clone());
                        outbox.settle(entry);
                    }
                }
                let passed = outbox.accepted().map_or(0, |position| ends[position.commit_num as usize - 1]);
                let mut numbers: Vec<usize> =
                    accepted.iter().map(|message| message.deduplication_id.parse().expect("a number")).collect();
                numbers.sort_unstable();
                prop_assert!(numbers.iter().take(passed).copied().eq(1..=passed), "{passed} passed, {numbers:?}");
            }
            for group in 0..4 {
                let group = format!("vertex/{group}");
                let of_group = accepted.iter().filter(|message| message.group == group);
                let numbers: Vec<usize> =
                    of_group.map(|message| message.deduplication_id.parse().expect("a number")).collect();
                prop_assert!(numbers.is_sorted(), "{group}: {numbers:?}");
            }
            prop_assert!(outbox.is_empty());
            prop_assert_eq!(outbox.accepted(), Some(Position::new(parts.len() as u64, 1)));
        }
    }
}
