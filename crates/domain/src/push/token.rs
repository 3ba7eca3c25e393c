//! Registration tokens of FCM.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest token in bytes: the limit of SNS.
pub const MAX_TOKEN_BYTES: usize = 8_192;

/// Registration token of FCM: printable ASCII without spaces. It addresses a phone, so it is never logged.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "document",
    derive(utoipa::ToSchema),
    schema(
        as = DeviceToken,
        examples("fcm:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"),
        min_length = 1,
        max_length = 8192,
        pattern = "^[!-~]+$"
    )
)]
pub struct Token(String);

/// Why a text is not a registration token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Empty.
    #[error("a token must not be empty")]
    Empty,
    /// Longer than SNS accepts.
    #[error("a token must be at most {MAX_TOKEN_BYTES} bytes long")]
    TooLong,
    /// Other characters than printable ASCII without spaces.
    #[error("a token must consist of printable ASCII characters without spaces")]
    Characters,
}

impl Token {
    /// The full token.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the token in hexadecimal digits, for table keys, which are shorter than a token.
    pub fn hash(&self) -> String {
        format!("{:x}", Sha256::digest(&self.0))
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
    fn token_must_have_the_length_and_characters_of_sns() {
        assert!(token("fcm:APA91b-_token").is_ok());
        assert!(token("x".repeat(MAX_TOKEN_BYTES)).is_ok());
        assert_eq!(token("x".repeat(MAX_TOKEN_BYTES + 1)), Err(InvalidToken::TooLong));
        assert_eq!(token(""), Err(InvalidToken::Empty));
        for text in ["a b", "a\n", "토큰", "a\u{0}"] {
            assert_eq!(token(text), Err(InvalidToken::Characters), "{text:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_token() {
        let token = token("secret").expect("a token");
        assert_eq!(format!("{token:?} {:?}", Some(&token)), "Token(…) Some(Token(…))");
    }

    #[test]
    fn hash_is_sha_256() {
        let hash = token("abc").expect("a token").hash();
        // The example of FIPS 180-2.
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
