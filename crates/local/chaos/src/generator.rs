//! Generates pseudo-random histories.

mod state;

use std::collections::BTreeSet;

use super::{
    operation::Operation,
    random::Random,
    size::{PERSONS, Size},
};
use state::GeneratorState;

/// The history of a seed. Deterministic.
pub fn history(seed: u64, size: Size) -> Vec<Operation> {
    let mut world = GeneratorState::new(Random::new(seed));
    let mut history: Vec<_> = (0..PERSONS).map(|person| Operation::SignIn { person, phone: person }).collect();
    history.extend((1..PERSONS).map(|from| world.follow(from, 0)));
    let first = world.publish(0);
    history.extend([first, Operation::Settle]);
    let spread = |count: usize| (1..=count).map(move |number| size.operations * number / (count + 1));
    let [restarts, search_restarts, resets] =
        [size.restarts, size.search_restarts, size.resets].map(|count| spread(count).collect::<BTreeSet<_>>());
    for number in 0..size.operations {
        if restarts.contains(&number) {
            history.push(Operation::Restart);
        }
        if search_restarts.contains(&number) {
            history.push(Operation::RestartSearch);
        }
        if resets.contains(&number) {
            history.push(world.reset());
        }
        history.extend(world.next(size));
    }
    history.extend(world.erasure(size));
    history
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{Graph, Since, writes};
    use crate::size::{PICTURE_PLACES, PLACES};

    const SIZE: Size = Size { operations: 300, photographs: 5, restarts: 2, search_restarts: 1, resets: 2 };

    proptest! {
        #[test]
        fn equal_seeds_make_equal_histories(seed in any::<u64>()) {
            prop_assert_eq!(history(seed, SIZE), history(seed, SIZE));
            prop_assert_ne!(history(seed, SIZE), history(seed ^ 1, SIZE));
        }

        #[test]
        fn only_executed_operations_are_reverted(seed in any::<u64>()) {
            let (mut follows, mut blocks, mut uploaded) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            for operation in history(seed, SIZE).into_iter().flat_map(Operation::into_single) {
                match operation {
                    Operation::Follow { from, to } => prop_assert!(from != to && follows.insert((from, to))),
                    Operation::Unfollow { from, to } => prop_assert!(follows.remove(&(from, to))),
                    Operation::Reset => {
                        follows.clear();
                        blocks.clear();
                    }
                    Operation::Block { from, to } => prop_assert!(from != to && blocks.insert((from, to))),
                    Operation::Unblock { from, to } => prop_assert!(blocks.remove(&(from, to))),
                    Operation::UploadPhotograph { file, .. } | Operation::UploadSound { file, .. } => {
                        prop_assert!(uploaded.insert(file));
                    }
                    Operation::DeleteByApi { file } => prop_assert!(uploaded.remove(&file)),
                    Operation::PutPhotograph { person, place, .. } | Operation::PutInvalidPhotograph { person, place } => {
                        prop_assert!(person == place % PERSONS && place < PICTURE_PLACES);
                    }
                    Operation::PutSound { person, place, .. } | Operation::PutInvalidSound { person, place } => {
                        prop_assert!(person == place % PERSONS && (PICTURE_PLACES..PLACES).contains(&place));
                    }
                    _ => {}
                }
            }
        }

        /// Neptune rejects additions of existing and removals of missing elements, and gives no number to a commit without
        /// changes.
        #[test]
        fn every_write_changes_the_graph(seed in any::<u64>()) {
            let mut graph = Graph::of(&[]);
            for operation in history(seed, SIZE).into_iter().flat_map(Operation::into_single) {
                if operation == Operation::Reset {
                    graph = Graph::of(&[]);
                }
                for write in writes(&operation) {
                    let (is_valid, before) = (graph.accepts(&write), graph.clone());
                    prop_assert!(is_valid, "{write:?} of {operation:?}");
                    graph.write(write, Since::default());
                    prop_assert_ne!(&graph, &before);
                }
            }
        }
    }

    #[test]
    fn erased_person_has_no_stories_left_not_even_unpublished_ones() {
        let mut has_unpublished = false;
        for seed in 0..100 {
            let (mut stories, mut unpublished) = (BTreeMap::new(), BTreeSet::new());
            for operation in history(seed, SIZE).into_iter().flat_map(Operation::into_single) {
                match operation {
                    Operation::PublishStory { author, story } => drop(stories.insert(story, author)),
                    Operation::UnpublishStory { story, .. } => drop(unpublished.insert(story)),
                    Operation::RemoveStory { story } => drop(stories.remove(&story)),
                    Operation::Reset => stories.clear(),
                    Operation::Erase { person, stories: erased, .. } => {
                        let hers = stories.iter().filter(|(_, author)| **author == person).map(|(story, _)| *story);
                        assert_eq!(erased, hers.collect::<Vec<_>>(), "seed {seed}");
                        has_unpublished |= erased.iter().any(|story| unpublished.contains(story));
                    }
                    _ => {}
                }
            }
        }
        assert!(has_unpublished);
    }

    #[test]
    fn every_kind_of_operation_is_generated() {
        let names: BTreeSet<_> =
            (0..10).flat_map(|seed| history(seed, SIZE)).map(|operation| operation.name()).collect();
        assert_eq!(names.len(), 41, "{names:?}");
        let count = |kind| history(3, SIZE).iter().filter(|operation| **operation == kind).count();
        assert_eq!((count(Operation::Restart), count(Operation::Reset)), (SIZE.restarts, SIZE.resets));
    }
}
