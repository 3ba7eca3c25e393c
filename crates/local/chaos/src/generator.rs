//! Histories as good as random.

mod world;

use std::collections::BTreeSet;

use fault_proxy::seeded_hash;

use super::operation::Operation;
use world::World;

/// Persons of one history; so many phones there are, too.
pub const PERSONS: usize = 5;
/// Places in the bucket that are written again and again.
pub const PLACES: usize = 9;
/// How many of these are for photographs; the others are for recordings.
pub const PICTURE_PLACES: usize = 6;
/// What stories can be tagged with.
pub const TAGS: usize = 4;

/// What a history is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many operations.
    pub operations: usize,
    /// How many kinds of photographs there are.
    pub photographs: usize,
    /// How often the emulator is started again.
    pub restarts: usize,
}

/// The history of this seed: always the same.
pub fn history(seed: u64, size: Size) -> Vec<Operation> {
    let mut world = World::new(Draw::new(seed));
    let mut history: Vec<_> = (0..PERSONS).map(|person| Operation::SignIn { person, phone: person }).collect();
    history.extend((1..PERSONS).map(|from| world.follow(from, 0)));
    let first = world.tell(0);
    history.extend([first, Operation::Settle]);
    let restarts: BTreeSet<_> =
        (1..=size.restarts).map(|number| size.operations * number / (size.restarts + 1)).collect();
    for number in 0..size.operations {
        if restarts.contains(&number) {
            history.push(Operation::Restart);
        }
        history.push(world.next(size));
    }
    history
}

/// Numbers as good as random, one after the other.
#[derive(Debug, Default)]
pub struct Draw {
    seed: u64,
    drawn: u64,
}

impl Draw {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.drawn += 1;
        seeded_hash(self.seed, &[self.drawn])
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.any() % end.max(1) as u64).unwrap_or_default()
    }

    /// One of these; none of none.
    fn of<T: Clone>(&mut self, choices: impl IntoIterator<Item = T>) -> Option<T> {
        let choices: Vec<_> = choices.into_iter().collect();
        let at = self.below(choices.len());
        choices.get(at).cloned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Graph, Since, writes};

    const SIZE: Size = Size { operations: 300, photographs: 5, restarts: 2 };

    proptest! {
        #[test]
        fn a_seed_is_a_history(seed in any::<u64>()) {
            prop_assert_eq!(history(seed, SIZE), history(seed, SIZE));
            prop_assert_ne!(history(seed, SIZE), history(seed ^ 1, SIZE));
        }

        #[test]
        fn what_is_undone_was_done(seed in any::<u64>()) {
            let (mut follows, mut blocks, mut uploaded) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            for operation in history(seed, SIZE).into_iter().flat_map(Operation::apart) {
                match operation {
                    Operation::Follow { from, to } => prop_assert!(from != to && follows.insert((from, to))),
                    Operation::Unfollow { from, to } => prop_assert!(follows.remove(&(from, to))),
                    Operation::Block { from, to } => prop_assert!(from != to && blocks.insert((from, to))),
                    Operation::Unblock { from, to } => prop_assert!(blocks.remove(&(from, to))),
                    Operation::Upload { file, .. } | Operation::UploadSound { file, .. } => {
                        prop_assert!(uploaded.insert(file));
                    }
                    Operation::DeleteByApi { file } => prop_assert!(uploaded.remove(&file)),
                    Operation::Put { person, place, .. } | Operation::PutBroken { person, place } => {
                        prop_assert!(person == place % PERSONS && place < PICTURE_PLACES);
                    }
                    Operation::PutSound { person, place, .. } | Operation::PutNoSound { person, place } => {
                        prop_assert!(person == place % PERSONS && (PICTURE_PLACES..PLACES).contains(&place));
                    }
                    _ => {}
                }
            }
        }

        /// Neptune refuses what adds what is there or removes what is not, and has no commit in which
        /// nothing changes.
        #[test]
        fn every_write_changes_the_graph(seed in any::<u64>()) {
            let mut graph = Graph::of(&[]);
            for operation in history(seed, SIZE).into_iter().flat_map(Operation::apart) {
                for write in writes(&operation) {
                    let (fits, before) = (graph.takes(&write), graph.clone());
                    prop_assert!(fits, "{write:?} of {operation:?}");
                    graph.write(write, Since::default());
                    prop_assert_ne!(&graph, &before);
                }
            }
        }
    }

    #[test]
    fn every_sort_of_operation_comes() {
        let names: BTreeSet<_> =
            (0..10).flat_map(|seed| history(seed, SIZE)).map(|operation| operation.name()).collect();
        assert_eq!(names.len(), 35, "{names:?}");
        let restarts = history(3, SIZE).iter().filter(|operation| **operation == Operation::Restart).count();
        assert_eq!(restarts, SIZE.restarts);
    }
}
