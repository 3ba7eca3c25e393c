//! Highlighting: parts of a text that match a query.

/// Marks the start of a match in the index's response. It is from Unicode's private use area and occurs in
/// no indexed text (`normalize` removes it). A tag would need escaping.
pub const MARK_BEGIN: char = '\u{e000}';
/// Marks the end of a match.
pub const MARK_END: char = '\u{e001}';

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Text of the part.
    pub text: String,
    /// Whether it matches the query.
    pub is_match: bool,
}

/// The non-empty parts of `marked`, in order. `None` if `marked` without its marks is not `text`: the text
/// has changed since it was indexed, and the old one must not be displayed.
pub fn segments(text: &str, marked: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut add = |text: &str, is_match| {
        if !text.is_empty() {
            segments.push(Segment { text: text.to_owned(), is_match });
        }
    };
    let mut parts = marked.split(MARK_BEGIN);
    add(parts.next().unwrap_or_default(), false);
    for part in parts {
        let (matching, rest) = part.split_once(MARK_END)?;
        add(matching, true);
        add(rest, false);
    }
    let whole: String = segments.iter().map(|segment| segment.text.as_str()).collect();
    (whole == text).then_some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(text: &str, marked: &str) -> Option<Vec<(String, bool)>> {
        let marked = marked.replace('<', &MARK_BEGIN.to_string()).replace('>', &MARK_END.to_string());
        Some(segments(text, &marked)?.into_iter().map(|segment| (segment.text, segment.is_match)).collect())
    }

    #[test]
    fn matches_are_separated_from_the_rest() {
        let parts = |parts: &[(&str, bool)]| Some(parts.iter().map(|(text, is)| ((*text).to_owned(), *is)).collect());
        assert_eq!(
            parts_of("서울에서 서울로", "<서울>에서 <서울>로"),
            parts(&[("서울", true), ("에서 ", false), ("서울", true), ("로", false)])
        );
        assert_eq!(parts_of("서울", "서울"), parts(&[("서울", false)]));
        assert_eq!(parts_of("a", "<a>"), parts(&[("a", true)]));
    }

    #[test]
    fn text_that_changed_has_no_segments() {
        assert_eq!(parts_of("부산에서", "<서울>에서"), None);
        assert_eq!(parts_of("서울에서", "<서울>"), None);
        assert_eq!(parts_of("서울", "<서울"), None);
    }
}
