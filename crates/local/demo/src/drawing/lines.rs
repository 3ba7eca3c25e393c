use super::{Drawn, clock};

/// One line: time, phone, title — text, and how long it took from the commit.
pub fn line(phone: &str, drawn: &Drawn) -> String {
    let took = drawn.took.map(|took| format!("  {} ms", took.as_millis())).unwrap_or_default();
    let silent = if drawn.silent { "  (silent)" } else { "" };
    let (title, body) = (printable(&drawn.title), printable(&drawn.body));
    format!("{}  {}  {title} — {body}{silent}{took}", clock(drawn.received_at), padded(phone, 8))
}

/// `text` filled up to so many columns; Korean takes two for a syllable.
fn padded(text: &str, columns: usize) -> String {
    let taken: usize = text.chars().map(|character| if is_wide(character) { 2 } else { 1 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(taken)))
}

/// Hangul and its neighbours: Unicode Standard Annex #11, as far as names need it.
fn is_wide(character: char) -> bool {
    matches!(character, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff60}')
}

/// What people write must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use domain::push::Platform;

    use super::*;
    use crate::drawing::testing::phone;

    #[test]
    fn a_notification_is_one_line() {
        let phone = phone("ko", Platform::Android, "준님이 좋아해요.\n\x1b[2J");
        let mut drawn = phone.notices[0].clone();
        assert_eq!(line(&phone.name, &drawn), "22:13:20  미나      좋아요 — 준님이 좋아해요.  [2J  180 ms");
        drawn.silent = true;
        drawn.took = None;
        assert!(line("Olivia", &drawn).ends_with("(silent)"));
    }

    #[test]
    fn names_take_the_same_columns() {
        assert_eq!(
            (padded("미나", 6).as_str(), padded("Ann", 6).as_str(), padded("미나", 2).as_str()),
            ("미나  ", "Ann   ", "미나")
        );
    }
}
