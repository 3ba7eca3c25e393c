/// Crockford's base 32, as in ULIDs: without I, L, O and U (<https://github.com/ulid/spec>).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// 128 bits as 26 characters.
pub fn encode(bits: u128) -> String {
    // 26 × 5 = 130 bits: the first character has only three.
    (0..LENGTH).rev().map(|place| char::from(ALPHABET[(bits >> (5 * place) & 31) as usize])).collect()
}

/// Decodes the canonical, upper-case form only, so that each value has one text.
pub fn decode(text: &str) -> Option<u128> {
    if text.len() != LENGTH || !matches!(text.as_bytes()[0], b'0'..=b'7') {
        return None;
    }
    text.bytes().try_fold(0, |value: u128, byte| {
        let digit = ALPHABET.iter().position(|&letter| letter == byte)?;
        Some(value << 5 | digit as u128)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_that_is_not_canonical_is_rejected() {
        for text in [
            "",
            "7",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZU",
            "7zzzzzzzzzzzzzzzzzzzzzzzzz",
            "../../../../../etc/passwd0",
            "7ZZZZZZZZZZZZZZZZZZZZZZZ한",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), Some(u128::MAX));
    }

    proptest! {
        #[test]
        fn text_round_trips(bits: u128) {
            prop_assert_eq!(decode(&encode(bits)), Some(bits));
        }
    }
}
