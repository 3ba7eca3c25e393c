use std::collections::BTreeSet;

use super::operation::{Operation, Queue};
use crate::faults::roll;

/// Persons of one history; so many phones there are, too.
pub const PERSONS: usize = 5;
/// Places in the bucket that are written again and again.
pub const PLACES: usize = 6;
/// What people can switch off.
const CATEGORIES: [&str; 4] = ["followers", "likes", "replies", "stories"];

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
    let mut world = World { draw: Draw::new(seed), ..World::default() };
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
        roll(self.seed, &[self.drawn])
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

/// What stands so far, so that what is undone was done.
#[derive(Debug, Default)]
struct World {
    draw: Draw,
    files: usize,
    uploaded: BTreeSet<usize>,
    stories: usize,
    comments: usize,
    poisons: usize,
    likes: BTreeSet<(usize, usize)>,
    follows: BTreeSet<(usize, usize)>,
    blocks: BTreeSet<(usize, usize)>,
    mutes: BTreeSet<(usize, usize)>,
}

impl World {
    fn next(&mut self, size: Size) -> Operation {
        let (person, photograph) = (self.draw.below(PERSONS), self.draw.below(size.photographs));
        let place = self.draw.below(PLACES);
        // What is written to one place is all one person's.
        let owner = place % PERSONS;
        let (from, to) = self.two();
        let story = self.draw.below(self.stories);
        match self.draw.below(100) {
            0..10 => {
                self.files += 1;
                self.uploaded.insert(self.files);
                Operation::Upload { person, file: self.files, photograph }
            }
            10..18 => Operation::Put { person: owner, place, photograph },
            18..20 => Operation::PutBroken { person: owner, place },
            20..24 => Operation::DeleteInBucket { person: owner, place },
            24..27 => match self.draw.of(self.uploaded.clone()) {
                Some(file) => {
                    self.uploaded.remove(&file);
                    Operation::DeleteByApi { file }
                }
                None => Operation::Settle,
            },
            27..36 if !self.follows.contains(&(from, to)) => self.follow(from, to),
            27..38 => match self.draw.of(self.follows.clone()) {
                Some((from, to)) => {
                    self.follows.remove(&(from, to));
                    Operation::Unfollow { from, to }
                }
                None => self.follow(from, to),
            },
            38..45 => self.tell(person),
            45..56 if self.likes.insert((person, story)) => Operation::Like { from: person, story },
            45..59 => match self.draw.of(self.likes.clone()) {
                Some((from, story)) => {
                    self.likes.remove(&(from, story));
                    Operation::Unlike { from, story }
                }
                None => self.tell(person),
            },
            59..66 => {
                self.comments += 1;
                Operation::Reply { from: person, story, comment: self.comments }
            }
            66..68 if self.blocks.insert((from, to)) => Operation::Block { from, to },
            66..70 => match self.draw.of(self.blocks.clone()) {
                Some((from, to)) => {
                    self.blocks.remove(&(from, to));
                    Operation::Unblock { from, to }
                }
                None => self.tell(person),
            },
            70..72 if self.mutes.insert((from, to)) => Operation::Mute { from, to },
            70..74 => match self.draw.of(self.mutes.clone()) {
                Some((from, to)) => {
                    self.mutes.remove(&(from, to));
                    Operation::Unmute { from, to }
                }
                None => self.tell(person),
            },
            74..78 => Operation::SignIn { person, phone: self.draw.below(PERSONS) },
            78..80 => Operation::SignOut { person },
            80..82 => {
                let muted = CATEGORIES.into_iter().filter(|_| self.draw.below(4) == 0).collect();
                Operation::Prefer { person, muted }
            }
            82..90 => Operation::Settle,
            90..95 => Operation::Kill { which: self.draw.any() },
            95..97 => Operation::RepeatEvents { order: self.draw.any() },
            97 => Operation::Replay,
            _ => {
                self.poisons += 1;
                let queue = Queue::ALL[self.draw.below(Queue::ALL.len())];
                Operation::Poison { queue, number: self.poisons }
            }
        }
    }

    fn two(&mut self) -> (usize, usize) {
        let from = self.draw.below(PERSONS);
        (from, (from + 1 + self.draw.below(PERSONS - 1)) % PERSONS)
    }

    fn follow(&mut self, from: usize, to: usize) -> Operation {
        self.follows.insert((from, to));
        Operation::Follow { from, to }
    }

    fn tell(&mut self, author: usize) -> Operation {
        self.stories += 1;
        Operation::Tell { author, story: self.stories - 1 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: Size = Size { operations: 300, photographs: 5, restarts: 2 };

    proptest! {
        #[test]
        fn a_seed_is_a_history(seed in any::<u64>()) {
            prop_assert_eq!(history(seed, SIZE), history(seed, SIZE));
            prop_assert_ne!(history(seed, SIZE), history(seed ^ 1, SIZE));
        }

        #[test]
        fn what_is_undone_was_done(seed in any::<u64>()) {
            let (mut likes, mut follows, mut blocks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            let (mut stories, mut uploaded) = (0, BTreeSet::new());
            for operation in history(seed, SIZE) {
                match operation {
                    Operation::Tell { story, .. } => { prop_assert_eq!(story, stories); stories += 1; }
                    Operation::Like { from, story } => {
                        prop_assert!(story < stories && likes.insert((from, story)));
                    }
                    Operation::Unlike { from, story } => prop_assert!(likes.remove(&(from, story))),
                    Operation::Reply { story, .. } => prop_assert!(story < stories),
                    Operation::Follow { from, to } => prop_assert!(from != to && follows.insert((from, to))),
                    Operation::Unfollow { from, to } => prop_assert!(follows.remove(&(from, to))),
                    Operation::Block { from, to } => prop_assert!(from != to && blocks.insert((from, to))),
                    Operation::Unblock { from, to } => prop_assert!(blocks.remove(&(from, to))),
                    Operation::Upload { file, .. } => prop_assert!(uploaded.insert(file)),
                    Operation::DeleteByApi { file } => prop_assert!(uploaded.remove(&file)),
                    Operation::Put { person, place, .. } => prop_assert!(person == place % PERSONS && place < PLACES),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn every_sort_of_operation_comes() {
        let names: BTreeSet<_> =
            (0..10).flat_map(|seed| history(seed, SIZE)).map(|operation| operation.name()).collect();
        assert_eq!(names.len(), 24, "{names:?}");
        let restarts = history(3, SIZE).iter().filter(|operation| **operation == Operation::Restart).count();
        assert_eq!(restarts, SIZE.restarts);
    }
}
