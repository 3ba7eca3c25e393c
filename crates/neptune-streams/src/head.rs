//! The stream's last position, from the message of an error.

use domain::graph::Position;

/// Finds `commitNum = 1132, opNum = 200` in Neptune's error message for a position beyond the end:
/// `Requested startEventId is from the future. Last valid eventId is [commitNum = 1132, opNum = 200]`.
///
/// No other part of the API contains this position. The last mention of each number counts, because the
/// message may first repeat the requested position.
pub(crate) fn from_message(message: &str) -> Option<Position> {
    Some(Position::new(number_after(message, "commitNum")?, number_after(message, "opNum")?))
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
    fn message_with_position_is_parsed_and_others_are_not() {
        let known = "Requested startEventId is from the future. \
                     Last valid eventId is [commitNum = 1132, opNum = 200]";
        assert_eq!(from_message(known), Some(Position::new(1132, 200)));
        let two_positions =
            "Asked for [commitNum = 9223372036854775807, opNum = 1]; last is {\"commitNum\": 7, \"opNum\": 3}.";
        assert_eq!(from_message(two_positions), Some(Position::new(7, 3)));
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
            assert_eq!(from_message(text), None, "{text}");
        }
    }
}
