use super::{DisplayedNotice, clock};

/// A line with time, phone, title, body and the time since the commit.
pub fn line(phone: &str, notice: &DisplayedNotice) -> String {
    let latency = notice.latency.map(|latency| format!("  {} ms", latency.as_millis())).unwrap_or_default();
    let silent = if notice.silent { "  (silent)" } else { "" };
    let (title, body) = (printable(&notice.title), printable(&notice.body));
    format!("{}  {}  {title} — {body}{silent}{latency}", clock(notice.received_at), padded(phone, 8))
}

/// Pads `text` to a width in columns. Hangul syllables are two columns wide.
fn padded(text: &str, columns: usize) -> String {
    let width: usize = text.chars().map(|character| if is_wide(character) { 2 } else { 1 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(width)))
}

/// Whether a character is two columns wide: the common ranges of Unicode Standard Annex #11.
fn is_wide(character: char) -> bool {
    matches!(character, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff60}')
}

/// Replaces control characters, which could control the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use domain::push::Platform;

    use super::*;
    use crate::drawing::testing::phone;

    #[test]
    fn notification_is_one_line() {
        let phone = phone("ko", Platform::Android, "준님이 좋아해요.\n\x1b[2J");
        let mut notice = phone.notices[0].clone();
        assert_eq!(line(&phone.name, &notice), "22:13:20  미나      좋아요 — 준님이 좋아해요.  [2J  180 ms");
        notice.silent = true;
        notice.latency = None;
        assert!(line("Olivia", &notice).ends_with("(silent)"));
    }

    #[test]
    fn padding_counts_columns() {
        assert_eq!(
            (padded("미나", 6).as_str(), padded("Ann", 6).as_str(), padded("미나", 2).as_str()),
            ("미나  ", "Ann   ", "미나")
        );
    }
}
