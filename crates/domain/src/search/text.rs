//! Texts, as they are indexed and as they are asked for.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{MARK_BEGIN, MARK_END};

/// Names and titles are indexed up to this many bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 1_000;

/// The text in NFC, with one space wherever it has white space or control characters, and none at
/// its ends. What an app wrote as three letters (jamo) and what another wrote as one syllable are
/// then the same.
pub fn normalize(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control() || matches!(c, MARK_BEGIN | MARK_END);
    let normalized = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let words: Vec<_> = normalized.split(is_gap).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_become_syllables_and_gaps_become_spaces() {
        assert_eq!(normalize("\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}"), "서울");
        assert_eq!(normalize(" 첫눈\t\u{0}\n 오는\u{e000}날\u{a0}"), "첫눈 오는 날");
        assert_eq!(normalize("\u{7}\r\n"), "");
    }

    proptest! {
        #[test]
        fn what_is_clean_stays_as_it_is(text: String) {
            let once = normalize(&text);
            prop_assert_eq!(normalize(&once), once);
        }
    }
}
