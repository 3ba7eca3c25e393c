//! Messages that wait for the bus. Keeps the order per entity and publishes different entities concurrently.

use std::{collections::VecDeque, hash::BuildHasher, mem, time::Instant};

use domain::graph::Position;
use hashbrown::{DefaultHashBuilder, HashMap};

use crate::{batch_size, message::Message};

/// The unpublished messages, and the position up to which the bus has accepted everything.
///
/// At most one message of a group is in flight or waits for a retry. Later messages of the group wait. This keeps the
/// order even if only some entries of a call fail. Different groups do not wait for each other.
///
/// The outbox does no I/O and reads no clock. The caller reports the outcome of each entry.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The transactions, or parts of them, that are not fully accepted, in stream order.
    parts: VecDeque<PendingPart>,
    /// The number of the first pending part.
    first: u64,
    /// The end of the last part that is accepted together with all before it, and its commit time.
    accepted: Option<(Position, i64)>,
    /// Entries that can be sent now.
    ready: VecDeque<Entry>,
    /// Entries that wait for a retry, with its earliest time.
    retries: Vec<(Instant, Entry)>,
    /// The waiting messages of each group that has a message ready, in flight, or in `retries`. The key is the hash of
    /// the group. Groups with equal hashes wait for each other.
    waiting: HashMap<u64, VecDeque<Entry>>,
    hasher: DefaultHashBuilder,
    bytes: usize,
}

#[derive(Debug)]
struct PendingPart {
    last: Position,
    committed_at_ms: i64,
    /// The number of its messages that are not accepted.
    pending: usize,
}

/// A message to send. The caller must return it to [`Outbox::settle`] or [`Outbox::retry`].
#[derive(Debug)]
#[must_use]
pub struct Entry {
    /// The message.
    pub message: Message,
    /// The number of failed attempts.
    pub attempts: u32,
    /// The number of its part.
    part: u64,
    /// The hash of its group.
    group: u64,
}

/// The next action for the caller.
#[derive(Debug)]
pub enum NextAction {
    /// Publish the entries in one call.
    Publish(Vec<Entry>),
    /// Send a rejected entry to the dead-letter queue.
    SendToDlq(Entry),
}

impl Outbox {
    /// Adds the messages of the next transaction, or part of one, that ends at `last`.
    pub fn push(&mut self, last: Position, committed_at_ms: i64, messages: Vec<Message>) {
        let part = self.first + self.parts.len() as u64;
        self.parts.push_back(PendingPart { last, committed_at_ms, pending: messages.len() });
        for message in messages {
            self.bytes += message.body.len();
            let group = self.hasher.hash_one(&message.group);
            let entry = Entry { message, attempts: 0, part, group };
            match self.waiting.get_mut(&group) {
                Some(waiting) => waiting.push_back(entry),
                None => {
                    self.waiting.insert(group, VecDeque::new());
                    self.ready.push_back(entry);
                }
            }
        }
        self.update_accepted();
    }

    /// The next action, if any entry can be sent `now`.
    pub fn next(&mut self, now: Instant) -> Option<NextAction> {
        if !self.retries.is_empty() {
            let (due, later) = mem::take(&mut self.retries).into_iter().partition(|(at, _)| *at <= now);
            self.retries = later;
            // Due entries come first, because they are the oldest.
            for (_, entry) in Vec::into_iter(due).rev() {
                self.ready.push_front(entry);
            }
        }
        if self.ready.front()?.message.rejection.is_some() {
            return self.ready.pop_front().map(NextAction::SendToDlq);
        }
        let publishable = self.ready.iter().take_while(|entry| entry.message.rejection.is_none());
        let number = batch_size::fitting(publishable.map(|entry| entry.message.body.len()));
        Some(NextAction::Publish(self.ready.drain(..number).collect()))
    }

    /// Removes an entry that the bus or the dead-letter queue has accepted.
    pub fn settle(&mut self, entry: Entry) {
        self.bytes -= entry.message.body.len();
        if let Some(waiting) = self.waiting.get_mut(&entry.group) {
            match waiting.pop_front() {
                // First, because a group with many messages takes the longest.
                Some(next) => self.ready.push_front(next),
                None => {
                    self.waiting.remove(&entry.group);
                }
            }
        }
        let index = entry.part.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(part) = index.and_then(|index| self.parts.get_mut(index)) {
            part.pending -= 1;
        }
        self.update_accepted();
    }

    /// Schedules a failed entry for a retry at `at`.
    pub fn retry(&mut self, entry: Entry, at: Instant) {
        self.retries.push((at, Entry { attempts: entry.attempts + 1, ..entry }));
    }

    /// The time of the next retry.
    pub fn next_retry(&self) -> Option<Instant> {
        self.retries.iter().map(|(at, _)| *at).min()
    }

    /// The position up to which everything is accepted; `None` before the first accepted part.
    pub fn accepted(&self) -> Option<Position> {
        self.accepted.map(|(position, _)| position)
    }

    /// The commit time at [`accepted`](Self::accepted), in milliseconds since 1970.
    pub fn accepted_at_ms(&self) -> Option<i64> {
        self.accepted.map(|(_, committed_at_ms)| committed_at_ms)
    }

    /// The commit time of the oldest pending part, in milliseconds since 1970.
    pub fn oldest_ms(&self) -> Option<i64> {
        self.parts.front().map(|part| part.committed_at_ms)
    }

    /// Whether everything is accepted.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The bytes of all bodies that are not accepted.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn update_accepted(&mut self) {
        while let Some(part) = self.parts.pop_front_if(|part| part.pending == 0) {
            self.first += 1;
            self.accepted = Some((part.last, part.committed_at_ms));
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
            rejection: None,
        }
    }

    fn publish(outbox: &mut Outbox, now: Instant) -> Option<Vec<Entry>> {
        outbox.next(now).map(|action| match action {
            NextAction::Publish(entries) => entries,
            NextAction::SendToDlq(entry) => panic!("rejected: {entry:?}"),
        })
    }

    #[test]
    fn messages_of_one_entity_are_sent_one_by_one() {
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
        assert!(outbox.next(now).is_none(), "the retry is not due");
        let retried = publish(&mut outbox, now + Duration::from_secs(1)).expect("a call");
        assert_eq!(retried[0].attempts, 1);
        retried.into_iter().for_each(|entry| outbox.settle(entry));
        assert_eq!((outbox.accepted(), outbox.oldest_ms()), (Some(Position::new(1, 2)), Some(6)));
        publish(&mut outbox, now).expect("a call").into_iter().for_each(|entry| outbox.settle(entry));
        assert_eq!((outbox.accepted(), outbox.is_empty(), outbox.bytes()), (Some(Position::new(2, 1)), true, 0));
    }

    #[test]
    fn part_without_messages_is_accepted_at_once() {
        let mut outbox = Outbox::default();
        outbox.push(Position::new(7, 3), 9, vec![]);
        assert_eq!((outbox.accepted(), outbox.is_empty()), (Some(Position::new(7, 3)), true));
        assert_eq!(outbox.accepted_at_ms(), Some(9));
    }

    #[test]
    fn rejected_message_is_sent_to_the_dlq_in_its_turn() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        let rejected = Message { rejection: Some("too large".to_owned()), ..message(2, 1) };
        outbox.push(Position::new(1, 3), 0, vec![message(1, 0), rejected, message(3, 2)]);
        assert_eq!(publish(&mut outbox, now).map(|entries| entries.len()), Some(1));
        let Some(NextAction::SendToDlq(entry)) = outbox.next(now) else { panic!("a rejected message") };
        assert_eq!(entry.message.group, "vertex/2");
        assert_eq!(publish(&mut outbox, now).map(|entries| entries.len()), Some(1));
    }

    proptest! {
        /// Calls end in any order, each entry succeeds or fails, and parts are pushed meanwhile.
        #[test]
        fn order_per_entity_is_kept_and_accepted_position_skips_nothing(
            parts in prop::collection::vec(prop::collection::vec(0_u8..4, 0..12), 1..20),
            steps in prop::collection::vec((any::<prop::sample::Index>(), any::<u16>(), 1..4_usize), 400),
        ) {
            let now = Instant::now();
            let mut outbox = Outbox::default();
            let mut remaining = parts.iter().enumerate();
            let (mut in_flight, mut accepted) = (Vec::<Vec<Entry>>::new(), Vec::<Message>::new());
            let mut number = 0;
            // The number of messages up to the end of each part.
            let ends: Vec<usize> = parts.iter().scan(0, |sum, part| { *sum += part.len(); Some(*sum) }).collect();
            let mut steps = steps.into_iter().cycle();
            while accepted.len() < ends[ends.len() - 1] || remaining.len() > 0 {
                let Some((which, mut failures, calls)) = steps.next() else { break };
                if let Some((index, part)) = remaining.next() {
                    let messages = part.iter().map(|group| { number += 1; message(*group, number) }).collect();
                    outbox.push(Position::new(index as u64 + 1, 1), 0, messages);
                }
                for _ in 0..calls {
                    in_flight.extend(publish(&mut outbox, now));
                }
                if in_flight.is_empty() {
                    continue;
                }
                // Sometimes nothing fails, so that the loop ends.
                if accepted.len() % 7 == 0 { failures = 0; }
                let call = in_flight.swap_remove(which.index(in_flight.len()));
                for (index, entry) in call.into_iter().enumerate() {
                    if failures >> index & 1 == 1 {
                        outbox.retry(entry, now);
                    } else {
                        accepted.push(entry.message.clone());
                        outbox.settle(entry);
                    }
                }
                let covered = outbox.accepted().map_or(0, |position| ends[position.commit_num as usize - 1]);
                let mut numbers: Vec<usize> =
                    accepted.iter().map(|message| message.deduplication_id.parse().expect("a number")).collect();
                numbers.sort_unstable();
                prop_assert!(numbers.iter().take(covered).copied().eq(1..=covered), "{covered} covered, {numbers:?}");
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
