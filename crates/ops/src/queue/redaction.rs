//! Removes text of users from error messages.

/// Removes quoted texts from an error message, because parsers quote their input.
///
/// Names in backticks come from our code and stay, except after "unknown".
pub fn without_quotes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(index) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(index);
        let quote = if quoted.starts_with('"') { '"' } else { '`' };
        let end = end_of_quote(&quoted[1..], quote) + 1;
        let is_own_name = quote == '`' && !before.ends_with("unknown variant ") && !before.ends_with("unknown field ");
        shown += before;
        shown += if is_own_name { &quoted[..end] } else { "…" };
        rest = &quoted[end..];
    }
    shown + rest
}

/// The index after the closing quote. Without a closing quote, the end of the text.
fn end_of_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return index + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_removed() {
        for (text, expected) in [
            ("could not read: expected value at line 1 column 1", "could not read: expected value at line 1 column 1"),
            (r#"invalid type: string "미나 \"x\"", expected u64"#, "invalid type: string …, expected u64"),
            ("unknown variant `미나`, expected `a` or `b`", "unknown variant …, expected `a` or `b`"),
            ("missing field `type` at line 1", "missing field `type` at line 1"),
            (r#"cut off: "미나"#, "cut off: …"),
            ("`", "`"),
            ("", ""),
        ] {
            assert_eq!(without_quotes(text), expected);
        }
    }
}
