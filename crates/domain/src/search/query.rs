use super::normalize;

/// The longest query, in characters (Unicode scalar values) as it was sent.
pub const MAX_QUERY_CHARACTERS: usize = 200;

/// What somebody looks for: words, and nothing that means anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(String);

/// The text asks for nothing, or for too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a query has 1 to {MAX_QUERY_CHARACTERS} characters, and not only such as control or fill")]
pub struct InvalidQuery;

impl Query {
    /// The query that a client wrote.
    ///
    /// # Errors
    /// If it is too long, or nothing is left of it once it is clean.
    pub fn parse(text: &str) -> Result<Self, InvalidQuery> {
        if text.chars().nth(MAX_QUERY_CHARACTERS).is_some() {
            return Err(InvalidQuery);
        }
        let text = normalize(text);
        if text.is_empty() { Err(InvalidQuery) } else { Ok(Self(text)) }
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
        for longest in ["a".repeat(200), "한".repeat(200), " ".repeat(199) + "a"] {
            assert!(Query::parse(&longest).is_ok(), "{longest}");
        }
    }
}
