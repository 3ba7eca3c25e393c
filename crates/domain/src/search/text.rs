//! Normalization of indexed texts and of queries.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{MARK_BEGIN, MARK_END};

/// Names and titles are truncated to this many bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 1_000;

/// The text in NFC, trimmed, with each run of white space and control characters replaced by one space.
/// NFC makes three jamo and the one syllable that they form the same text.
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
    fn text_is_in_nfc_with_single_spaces() {
        assert_eq!(normalize("\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}"), "서울");
        assert_eq!(normalize(" 첫눈\t\u{0}\n 오는\u{e000}날\u{a0}"), "첫눈 오는 날");
        assert_eq!(normalize("\u{7}\r\n"), "");
    }

    proptest! {
        #[test]
        fn normalization_is_idempotent(text: String) {
            let once = normalize(&text);
            prop_assert_eq!(normalize(&once), once);
        }
    }
}
