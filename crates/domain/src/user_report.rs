//! Reports of people about media items, for operators. The reports of workers are in [`media`](crate::media).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_with::SerializeDisplay;
use sha2::{Digest, Sha256};
use strum::{AsRefStr, EnumString};

use crate::media::{MediaId, crockford};

/// Longest text in characters.
pub const MAX_REPORT_CHARACTERS: usize = 1_000;

/// Why a person reports an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, AsRefStr, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum ReportReason {
    /// Unwanted advertising, or fraud.
    Spam,
    /// An attack on a person.
    Harassment,
    /// Hatred of a group of people.
    Hate,
    /// Violence, or a threat of it.
    Violence,
    /// Sexual content.
    Sexual,
    /// A work of another person without consent.
    Copyright,
    /// Anything else.
    Other,
}

/// What a person writes to the operators: 1 to 1,000 characters. Of control characters, only line feeds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "document",
    derive(utoipa::ToSchema),
    schema(
        examples("이 사진은 제 것이에요."),
        min_length = 1,
        max_length = 1_000,
        pattern = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+$"
    )
)]
pub struct ReportText(String);

/// The text is not one of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`text` must have 1 to {MAX_REPORT_CHARACTERS} characters, and no control characters but line feeds")]
pub struct InvalidReportText;

impl ReportText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReportText {
    type Error = InvalidReportText;

    fn try_from(text: String) -> Result<Self, InvalidReportText> {
        // Escape sequences would act on the operator's terminal; overrides of the writing direction hide words.
        let hides =
            |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let fits = (1..=MAX_REPORT_CHARACTERS).contains(&text.chars().count()) && !text.contains(hides);
        if fits { Ok(Self(text)) } else { Err(InvalidReportText) }
    }
}

impl From<ReportText> for String {
    fn from(text: ReportText) -> Self {
        text.0
    }
}

impl fmt::Debug for ReportText {
    /// Hides the text, which must not be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReportText(…)")
    }
}

/// Id of a person's report of an item: the same each time, since a person has one report of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SerializeDisplay)]
#[cfg_attr(
    feature = "document",
    derive(utoipa::ToSchema),
    schema(
        value_type = String,
        description = "Id of a report: 26 characters of Crockford's base 32, in upper case.",
        examples("2D4T8Y5N0QJX6ZB1V7KR3WMHCF"),
        pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
    )
)]
pub struct ReportId(u128);

impl ReportId {
    /// The id of the report of `item` by `reporter`, from which neither can be read.
    pub fn of(reporter: &str, item: MediaId) -> Self {
        let digest = Sha256::digest(format!("report {item} {reporter}"));
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(first))
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crockford::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Result<ReportText, InvalidReportText> {
        text.to_owned().try_into()
    }

    #[test]
    fn text_has_a_length_and_no_control_characters() {
        for valid in ["a", "두 줄\n입니다", &"한".repeat(MAX_REPORT_CHARACTERS)] {
            assert_eq!(text(valid).expect("a text").as_str(), valid);
        }
        for invalid in ["", "\u{1b}[2J", "a\tb", "a\r\n", "\u{202e}txt", "\0", &"a".repeat(MAX_REPORT_CHARACTERS + 1)] {
            assert_eq!(text(invalid), Err(InvalidReportText), "{invalid:?}");
        }
    }

    #[test]
    fn person_has_one_report_of_an_item() {
        let [a, b] = ["photo/mina/a", "photo/mina/b"].map(MediaId::of_key);
        assert_eq!(ReportId::of("jun", a), ReportId::of("jun", a));
        assert_ne!(ReportId::of("jun", a), ReportId::of("jun", b));
        assert_ne!(ReportId::of("jun", a), ReportId::of("sora", a));
    }

    proptest! {
        #[test]
        fn text_is_never_shown_by_debug(content in "[a-z]{20,40}") {
            let shown = format!("{:?}", text(&content));
            prop_assert!(!shown.contains(&content));
        }
    }
}
