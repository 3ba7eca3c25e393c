//! Why a message failed, without what it said.

/// The text of a failure with what is in quotes left out: parsers quote what they were given.
///
/// Names of fields, which they put in backticks, are ours and stay, unless they are called unknown.
pub fn without_quotes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(at);
        let quote = if quoted.starts_with('"') { '"' } else { '`' };
        let end = end_of(&quoted[1..], quote) + 1;
        let is_ours = quote == '`' && !before.ends_with("unknown variant ") && !before.ends_with("unknown field ");
        shown += before;
        shown += if is_ours { &quoted[..end] } else { "…" };
        rest = &quoted[end..];
    }
    shown + rest
}

/// Behind the closing quote; the whole text if it has none, since then all of it may be quoted.
fn end_of(text: &str, quote: char) -> usize {
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
    fn what_parsers_quote_is_left_out() {
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
