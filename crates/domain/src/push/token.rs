//! What FCM knows an app on a phone by.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// As long as SNS takes tokens.
pub const MAX_TOKEN_BYTES: usize = 8_192;

/// A registration token. Whoever has it can name the phone to FCM, so it is never printed.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

/// This is no registration token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// There is nothing.
    #[error("a token must not be empty")]
    Empty,
    /// SNS would refuse it.
    #[error("a token must be at most {MAX_TOKEN_BYTES} bytes long")]
    TooLong,
    /// Tokens are printable ASCII without spaces.
    #[error("a token must consist of printable ASCII characters without spaces")]
    Characters,
}

impl Token {
    /// The token in full, for SNS.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the token, in hexadecimal digits: names it in keys, where 8 KiB do not fit.
    pub fn hash(&self) -> String {
        Sha256::digest(self.0.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Token {
    type Error = InvalidToken;

    fn try_from(text: String) -> Result<Self, InvalidToken> {
        if text.is_empty() {
            Err(InvalidToken::Empty)
        } else if text.len() > MAX_TOKEN_BYTES {
            Err(InvalidToken::TooLong)
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(InvalidToken::Characters)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: impl Into<String>) -> Result<Token, InvalidToken> {
        text.into().try_into()
    }

    #[test]
    fn is_bounded_as_sns_bounds_it() {
        assert!(token("fcm:APA91b-_token").is_ok());
        assert!(token("x".repeat(MAX_TOKEN_BYTES)).is_ok());
        assert_eq!(token("x".repeat(MAX_TOKEN_BYTES + 1)), Err(InvalidToken::TooLong));
        assert_eq!(token(""), Err(InvalidToken::Empty));
        for text in ["a b", "a\n", "토큰", "a\u{0}"] {
            assert_eq!(token(text), Err(InvalidToken::Characters), "{text:?}");
        }
    }

    #[test]
    fn is_never_printed() {
        let token = token("secret").expect("a token");
        assert_eq!(format!("{token:?} {:?}", Some(&token)), "Token(…) Some(Token(…))");
    }

    #[test]
    fn is_named_by_its_sha_256() {
        let hash = token("abc").expect("a token").hash();
        // The example of FIPS 180-2.
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
