use unicode_segmentation::UnicodeSegmentation;

const ELLIPSIS: &str = "…";

/// The text, truncated to `max_bytes` of UTF-8 including an ellipsis. Grapheme clusters are never
/// split. The result is empty if `max_bytes` has no space for the ellipsis.
pub fn truncate(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let Some(available) = max_bytes.checked_sub(ELLIPSIS.len()) else { return String::new() };
    let ends = text.grapheme_indices(true).map(|(start, grapheme)| start + grapheme.len());
    let end = ends.take_while(|end| *end <= available).last().unwrap_or_default();
    format!("{}{ELLIPSIS}", text[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_cut_between_grapheme_clusters() {
        assert_eq!(truncate("이야기", 9), "이야기");
        assert_eq!(truncate("이야기꾼", 9), "이야…");
        assert_eq!(truncate("이야기꾼", 11), "이야…");
        // Three jamo that make one syllable, and an emoji of several code points.
        assert_eq!(truncate("가\u{1112}\u{1161}\u{11ab}나", 12), "가…");
        assert_eq!(truncate("a👨‍👩‍👧b", 19), "a…");
        assert_eq!(truncate("old tales", 7), "old…");
        assert_eq!(truncate("가나", 2), "");
    }

    proptest! {
        #[test]
        fn truncated_text_fits_and_is_a_prefix(text: String, max_bytes in 0_usize..64) {
            let short = truncate(&text, max_bytes);
            prop_assert!(short.len() <= max_bytes);
            prop_assert!(short == text || text.starts_with(short.trim_end_matches('…')));
        }
    }
}
