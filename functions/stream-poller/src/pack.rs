//! How many messages go in one call.

use domain::graph::SNS_MESSAGE_BYTES;

/// The most entries of one `PublishBatch` (Amazon SNS API Reference).
pub const MAX_ENTRIES: usize = 10;

/// The most bytes of all bodies of one `PublishBatch` together: as many as one message may have.
pub const MAX_BYTES: usize = SNS_MESSAGE_BYTES;

/// How many of the messages in front, whose `bytes` these are, fit in one call. At least one, if
/// there is one: what fits in no call is not sent here.
pub fn fitting(bytes: impl IntoIterator<Item = usize>) -> usize {
    let mut room = MAX_BYTES;
    let fit = bytes.into_iter().take(MAX_ENTRIES).enumerate().take_while(|&(at, bytes)| {
        let fits = bytes <= room || at == 0;
        room = room.saturating_sub(bytes);
        fits
    });
    fit.count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_is_full_by_number_or_by_size() {
        assert_eq!(fitting([]), 0);
        assert_eq!(fitting([1; 11]), 10);
        assert_eq!(fitting([MAX_BYTES]), 1);
        assert_eq!(fitting([MAX_BYTES, 1]), 1);
        assert_eq!(fitting([MAX_BYTES - 1, 1, 1]), 2);
        assert_eq!(fitting([MAX_BYTES - 1, 2, 1]), 1, "nobody overtakes");
        assert_eq!(fitting([MAX_BYTES + 1, 1]), 1);
    }

    proptest! {
        #[test]
        fn every_call_is_within_the_limits_and_as_full_as_order_allows(
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
