use super::clean;

/// The longest query, in characters after normalisation.
pub const MAX_QUERY_CHARACTERS: usize = 200;

/// What somebody looks for: words, and nothing that means anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(String);

/// The text asks for nothing, or for too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a query has 1 to {MAX_QUERY_CHARACTERS} characters, in NFC and without control characters")]
pub struct InvalidQuery;

impl Query {
    /// The query that a client wrote.
    ///
    /// # Errors
    /// If nothing is left of it once it is clean, or too much.
    pub fn parse(text: &str) -> Result<Self, InvalidQuery> {
        let clean = clean(text);
        let is_fine = (1..=MAX_QUERY_CHARACTERS).contains(&clean.chars().count());
        is_fine.then_some(Self(clean)).ok_or(InvalidQuery)
    }

    /// As texts are indexed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_and_bounded() {
        assert_eq!(Query::parse("\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}\u{0}").expect("a query").as_str(), "서울");
        for text in ["", " ", "\u{0}\u{1b}", &"a".repeat(201), &"x".repeat(10_000)] {
            assert_eq!(Query::parse(text), Err(InvalidQuery), "{text}");
        }
        // 200 syllables of three letters each.
        assert!(Query::parse(&"\u{1112}\u{1161}\u{11ab}".repeat(200)).is_ok());
    }
}
