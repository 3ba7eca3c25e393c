use std::fmt;

use base64::{
    Engine,
    alphabet::Alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};

/// What CloudFront is to let pass, and for how long: a custom policy. ("Create a signed URL using a
/// custom policy", Amazon CloudFront Developer Guide.)
///
/// Unlike the canned one it may hold a wildcard, so that one signature serves all files of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The address, with scheme and host, in which `*` stands for any text.
    pub resource: String,
    /// In seconds since 1970: from then on it passes no more.
    pub expires: u64,
}

impl fmt::Display for Policy {
    /// Without white space, as it is signed. The resource is no place for what JSON escapes: hosts
    /// and derived keys have neither quotes nor backslashes nor control characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, expires } = self;
        write!(
            f,
            r#"{{"Statement":[{{"Resource":"{resource}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
        )
    }
}

/// Base 64 as CloudFront wants it in a query: `-`, `_` and `~` for `+`, `=` and `/`.
pub fn encode(bytes: &[u8]) -> String {
    let engine = GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new());
    engine.encode(bytes).replace('=', "_")
}

/// Proven at compile time.
const ALPHABET: Alphabet = match Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~") {
    Ok(alphabet) => alphabet,
    Err(_) => panic!("64 different characters"),
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_the_text_that_the_guide_shows() {
        let policy =
            Policy { resource: "https://d111111abcdef8.cloudfront.net/ID/0A/*".into(), expires: 1_767_290_400 };
        let text = r#"{"Statement":[{"Resource":"https://d111111abcdef8.cloudfront.net/ID/0A/*","Condition":{"DateLessThan":{"AWS:EpochTime":1767290400}}}]}"#;
        assert_eq!(policy.to_string(), text);
    }

    #[test]
    fn has_an_alphabet_of_its_own() {
        // `printf '\xfb\xef\xff\xfe' | base64` is ++///g==
        assert_eq!(encode(b"\xfb\xef\xff\xfe"), "--~~~g__");
        assert_eq!(encode(b""), "");
    }

    proptest! {
        #[test]
        fn needs_no_escaping_in_a_query(bytes: Vec<u8>) {
            let text = encode(&bytes);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte)));
            prop_assert_eq!(text.len(), bytes.len().div_ceil(3) * 4);
        }
    }
}
