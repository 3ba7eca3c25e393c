/// The value of a condition over a history.
///
/// A change is made at one index and is certainly visible from a later index on. In between, a reader may see the old or
/// the new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<T> {
    first: T,
    changes: Vec<Change<T>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Change<T> {
    at: usize,
    settled_from: usize,
    value: T,
}

impl<T> Timeline<T> {
    /// A timeline with this initial value.
    pub fn new(first: T) -> Self {
        Self { first, changes: Vec::new() }
    }

    /// Adds a change at index `at`, which must not precede the last change. It is visible from `settled_from` on.
    pub fn change(&mut self, at: usize, settled_from: usize, value: T) {
        self.changes.push(Change { at, settled_from, value });
    }

    /// The values that a reader may see between the indices `from` and `to`.
    pub fn observable(&self, from: usize, to: usize) -> impl Iterator<Item = &T> {
        let values =
            std::iter::once((0, &self.first)).chain(self.changes.iter().map(|change| (change.at, &change.value)));
        let ends = self.changes.iter().map(|change| change.settled_from).chain([usize::MAX]);
        values.zip(ends).filter(move |((start, _), end)| *start <= to && *end > from).map(|((_, value), _)| value)
    }

    /// The final value.
    pub fn last(&self) -> &T {
        self.changes.last().map_or(&self.first, |change| &change.value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observed(timeline: &Timeline<char>, from: usize, to: usize) -> String {
        timeline.observable(from, to).collect()
    }

    #[test]
    fn old_and_new_value_are_observable_until_settled() {
        let mut timeline = Timeline::new('a');
        timeline.change(5, 9, 'b');
        timeline.change(20, 20, 'c');
        assert_eq!(observed(&timeline, 0, 4), "a");
        assert_eq!(observed(&timeline, 0, 5), "ab");
        assert_eq!(observed(&timeline, 6, 7), "ab");
        assert_eq!(observed(&timeline, 9, 19), "b");
        assert_eq!(observed(&timeline, 9, 20), "bc");
        assert_eq!(observed(&timeline, 20, 99), "c");
        assert_eq!(*timeline.last(), 'c');
    }

    proptest! {
        #[test]
        fn longer_interval_observes_at_least_the_same_values(
            gaps in prop::collection::vec((0..5_usize, 0..5_usize), 0..10), from in 0..40_usize, length in 0..20_usize,
        ) {
            let mut timeline = Timeline::new(0);
            let mut at = 0;
            for (number, (gap, delay)) in gaps.iter().enumerate() {
                at += gap;
                timeline.change(at, at + delay, number + 1);
            }
            let short: Vec<_> = timeline.observable(from, from).collect();
            let long: Vec<_> = timeline.observable(from, from + length).collect();
            prop_assert!(!short.is_empty());
            prop_assert!(short.iter().all(|value| long.contains(value)));
        }
    }
}
