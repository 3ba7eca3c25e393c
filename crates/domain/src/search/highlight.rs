//! Which parts of a text a query found.

/// Stands before what was found, in what the index answers. From Unicode's private use area, so no
/// text of ours has it ([`normalize`](super::clean) takes it out); a tag would have to be escaped.
pub const MARK_BEGIN: char = '\u{e000}';
/// Stands after it.
pub const MARK_END: char = '\u{e001}';

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The part.
    pub text: String,
    /// Whether the query found it.
    pub is_match: bool,
}

/// The parts of `marked`, one after the other, none empty; nothing unless it is `text` but for the
/// marks: what has changed since it was indexed is not shown by what it was.
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
        let (found, rest) = part.split_once(MARK_END)?;
        add(found, true);
        add(rest, false);
    }
    let whole: String = segments.iter().map(|segment| segment.text.as_str()).collect();
    (whole == text).then_some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, marked: &str) -> Option<Vec<(String, bool)>> {
        let marked = marked.replace('<', &MARK_BEGIN.to_string()).replace('>', &MARK_END.to_string());
        Some(segments(text, &marked)?.into_iter().map(|segment| (segment.text, segment.is_match)).collect())
    }

    #[test]
    fn what_was_found_is_told_from_the_rest() {
        let parts = |parts: &[(&str, bool)]| Some(parts.iter().map(|(text, is)| ((*text).to_owned(), *is)).collect());
        assert_eq!(
            shown("서울에서 서울로", "<서울>에서 <서울>로"),
            parts(&[("서울", true), ("에서 ", false), ("서울", true), ("로", false)])
        );
        assert_eq!(shown("서울", "서울"), parts(&[("서울", false)]));
        assert_eq!(shown("a", "<a>"), parts(&[("a", true)]));
    }

    #[test]
    fn what_has_changed_since_is_not_shown() {
        assert_eq!(shown("부산에서", "<서울>에서"), None);
        assert_eq!(shown("서울에서", "<서울>"), None);
        assert_eq!(shown("서울", "<서울"), None);
    }
}
