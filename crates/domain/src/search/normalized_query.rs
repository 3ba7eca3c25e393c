use super::{hangul::compose_letters, normalize};

/// Longest query in characters (Unicode scalar values), before normalization.
pub const MAX_QUERY_CHARACTERS: usize = 200;

/// A normalized query: words without syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(String);

/// The text is empty after normalization, or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`q` must have 1 to {MAX_QUERY_CHARACTERS} characters, and not only white space and control characters")]
pub struct InvalidQuery;

impl Query {
    /// Parses the query of a client.
    ///
    /// # Errors
    /// If it is too long, or empty after normalization.
    pub fn parse(text: &str) -> Result<Self, InvalidQuery> {
        if text.chars().nth(MAX_QUERY_CHARACTERS).is_some() {
            return Err(InvalidQuery);
        }
        let text = compose_letters(&normalize(text));
        if text.is_empty() { Err(InvalidQuery) } else { Ok(Self(text)) }
    }

    /// The query, normalized like indexed texts, with single jamo composed to syllables.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_normalized_and_bounded() {
        assert_eq!(Query::parse("\u{1109}\u{1165}\u{110b}\u{116e}\u{11af}\u{0}").expect("a query").as_str(), "서울");
        assert_eq!(Query::parse("ㅅㅓ울  ㅅㅇ").expect("a query").as_str(), "서울 ㅅㅇ");
        for text in ["", " ", "\u{0}\u{1b}", &"a".repeat(201), &"x".repeat(10_000)] {
            assert_eq!(Query::parse(text), Err(InvalidQuery), "{text}");
        }
        for longest in ["a".repeat(200), "한".repeat(200), " ".repeat(199) + "a"] {
            assert!(Query::parse(&longest).is_ok(), "{longest}");
        }
    }
}
