/// What something was, in the order of a history.
///
/// A change is made at one place of the history, and known to everybody from a later place on, or never
/// for certain. In between, who asks may see what was before, or what is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<T> {
    first: T,
    changes: Vec<Change<T>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Change<T> {
    at: usize,
    known_from: usize,
    value: T,
}

impl<T> Timeline<T> {
    /// What has been so from the beginning.
    pub fn new(first: T) -> Self {
        Self { first, changes: Vec::new() }
    }

    /// It changes at `at`, which is no earlier than the change before, and is known from `known_from` on.
    pub fn change(&mut self, at: usize, known_from: usize, value: T) {
        self.changes.push(Change { at, known_from, value });
    }

    /// What somebody may see who looks at some time from `from` through `to`.
    pub fn seen(&self, from: usize, to: usize) -> impl Iterator<Item = &T> {
        let values =
            std::iter::once((0, &self.first)).chain(self.changes.iter().map(|change| (change.at, &change.value)));
        let ends = self.changes.iter().map(|change| change.known_from).chain([usize::MAX]);
        values.zip(ends).filter(move |((start, _), end)| *start <= to && *end > from).map(|((_, value), _)| value)
    }

    /// What it is in the end.
    pub fn last(&self) -> &T {
        self.changes.last().map_or(&self.first, |change| &change.value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(timeline: &Timeline<char>, from: usize, to: usize) -> String {
        timeline.seen(from, to).collect()
    }

    #[test]
    fn between_change_and_knowledge_both_are_seen() {
        let mut timeline = Timeline::new('a');
        timeline.change(5, 9, 'b');
        timeline.change(20, 20, 'c');
        assert_eq!(seen(&timeline, 0, 4), "a");
        assert_eq!(seen(&timeline, 0, 5), "ab");
        assert_eq!(seen(&timeline, 6, 7), "ab");
        assert_eq!(seen(&timeline, 9, 19), "b");
        assert_eq!(seen(&timeline, 9, 20), "bc");
        assert_eq!(seen(&timeline, 20, 99), "c");
        assert_eq!(*timeline.last(), 'c');
    }

    proptest! {
        #[test]
        fn something_is_always_seen_and_more_in_a_longer_time(
            gaps in prop::collection::vec((0..5_usize, 0..5_usize), 0..10), from in 0..40_usize, length in 0..20_usize,
        ) {
            let mut timeline = Timeline::new(0);
            let mut at = 0;
            for (number, (gap, delay)) in gaps.iter().enumerate() {
                at += gap;
                timeline.change(at, at + delay, number + 1);
            }
            let short: Vec<_> = timeline.seen(from, from).collect();
            let long: Vec<_> = timeline.seen(from, from + length).collect();
            prop_assert!(!short.is_empty());
            prop_assert!(short.iter().all(|value| long.contains(value)));
        }
    }
}
