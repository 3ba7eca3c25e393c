//! The size of one call to SNS or SQS.

use domain::graph::SNS_MESSAGE_BYTES;

/// The most entries of one `PublishBatch` or `SendMessageBatch` (API references of Amazon SNS and SQS).
pub const MAX_ENTRIES: usize = 10;

/// The most bytes of all bodies of one call. A single message may have as many.
pub const MAX_BYTES: usize = SNS_MESSAGE_BYTES;

/// The number of leading messages, with sizes of `bytes`, that fit in one call. At least one if there is one: larger
/// messages are rejected before.
pub fn fitting(bytes: impl IntoIterator<Item = usize>) -> usize {
    let mut room = MAX_BYTES;
    let fitting = bytes.into_iter().take(MAX_ENTRIES).enumerate().take_while(|&(index, bytes)| {
        let fits = bytes <= room || index == 0;
        room = room.saturating_sub(bytes);
        fits
    });
    fitting.count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn call_is_limited_by_number_and_by_size() {
        assert_eq!(fitting([]), 0);
        assert_eq!(fitting([1; 11]), 10);
        assert_eq!(fitting([MAX_BYTES]), 1);
        assert_eq!(fitting([MAX_BYTES, 1]), 1);
        assert_eq!(fitting([MAX_BYTES - 1, 1, 1]), 2);
        assert_eq!(fitting([MAX_BYTES - 1, 2, 1]), 1, "no message overtakes");
        assert_eq!(fitting([MAX_BYTES + 1, 1]), 1);
    }

    proptest! {
        #[test]
        fn calls_are_within_the_limits_and_full(
            sizes in prop::collection::vec(1..=MAX_BYTES, 1..30),
        ) {
            let mut rest = sizes.as_slice();
            while !rest.is_empty() {
                let (call, behind) = rest.split_at(fitting(rest.iter().copied()));
                let bytes = call.iter().sum::<usize>();
                prop_assert!(!call.is_empty() && call.len() <= MAX_ENTRIES && bytes <= MAX_BYTES);
                let has_room = |next: usize| call.len() < MAX_ENTRIES && bytes + next <= MAX_BYTES;
                prop_assert!(!behind.first().is_some_and(|&next| has_room(next)));
                rest = behind;
            }
        }
    }
}
