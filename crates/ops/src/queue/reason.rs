//! Failure texts without text of users.

/// The text of a failure in which `…` replaces quoted parts: parsers quote their input.
///
/// Field names in backticks are defined by this project and stay, except after "unknown field" and "unknown variant".
pub fn without_quotes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(at);
        let quote = if quoted.starts_with('"') { '"' } else { '`' };
        let end = end_of_quote(&quoted[1..], quote) + 1;
        let is_field_name =
            quote == '`' && !before.ends_with("unknown variant ") && !before.ends_with("unknown field ");
        shown += before;
        shown += if is_field_name { &quoted[..end] } else { "…" };
        rest = &quoted[end..];
    }
    shown + rest
}

/// The offset behind the closing quote. Without one, the end of the text, because all of it may be quoted.
fn end_of_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_quoted_by_parsers_is_replaced() {
        for (text, shown) in [
            ("could not read: expected value at line 1 column 1", "could not read: expected value at line 1 column 1"),
            (r#"invalid type: string "미나 \"x\"", expected u64"#, "invalid type: string …, expected u64"),
            ("unknown variant `미나`, expected `a` or `b`", "unknown variant …, expected `a` or `b`"),
            ("missing field `type` at line 1", "missing field `type` at line 1"),
            (r#"cut off: "미나"#, "cut off: …"),
            ("`", "`"),
            ("", ""),
        ] {
            assert_eq!(without_quotes(text), shown);
        }
    }
}
