//! The stream's head, from the text of an error.

use crate::position::Position;

/// Finds `commitNum = 1132, opNum = 200` in Neptune's answer to who asks beyond the head:
/// `Requested startEventId is from the future. Last valid eventId is [commitNum = 1132, opNum = 200]`.
///
/// This is the only place that reads an error's text: the position stands nowhere else. What
/// follows the last mention of each number counts, so that a text which first repeats what was
/// asked for does not mislead.
pub(crate) fn from_text(text: &str) -> Option<Position> {
    Some(Position::new(number_after(text, "commitNum")?, number_after(text, "opNum")?))
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(name)?;
    let rest = rest.trim_start_matches(['"', ' ']).strip_prefix(['=', ':'])?.trim_start();
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_position_or_nothing() {
        let known = "Requested startEventId is from the future. \
                     Last valid eventId is [commitNum = 1132, opNum = 200]";
        assert_eq!(from_text(known), Some(Position::new(1132, 200)));
        let wordier =
            "Asked for [commitNum = 9223372036854775807, opNum = 1]; last is {\"commitNum\": 7, \"opNum\": 3}.";
        assert_eq!(from_text(wordier), Some(Position::new(7, 3)));
        for text in [
            "",
            "No records found",
            "commitNum",
            "commitNum = , opNum = ",
            "commitNum = 5",
            "commitNum = -5, opNum = 1",
            "commitNum = 99999999999999999999, opNum = 1",
            "[commitNum → 5, opNum = 한]",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
