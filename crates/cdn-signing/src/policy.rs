use std::fmt;

use base64::{
    Engine,
    alphabet::Alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};

/// A custom policy: the resources that a signature gives access to, and until when ("Create a signed URL using a custom
/// policy", Amazon CloudFront Developer Guide).
///
/// Unlike a canned policy, it may contain a wildcard, so one signature covers all files of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// URL with scheme and host, in which `*` matches any text.
    pub resource: String,
    /// End of access, in seconds since 1970.
    pub expires: u64,
}

impl fmt::Display for Policy {
    /// Writes the JSON text that is signed, without white space. The resource needs no escaping: hosts and keys of
    /// derivatives contain no quotes, backslashes or control characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, expires } = self;
        write!(
            f,
            r#"{{"Statement":[{{"Resource":"{resource}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
        )
    }
}

/// Base 64 as CloudFront expects it in a query: `-`, `_` and `~` in place of `+`, `=` and `/`.
pub fn encode(bytes: &[u8]) -> String {
    let engine = GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new());
    engine.encode(bytes).replace('=', "_")
}

const ALPHABET: Alphabet = match Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~") {
    Ok(alphabet) => alphabet,
    Err(_) => panic!("an alphabet has 64 different characters"),
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn policy_is_written_as_in_the_developer_guide() {
        let policy =
            Policy { resource: "https://d111111abcdef8.cloudfront.net/ID/0A/*".into(), expires: 1_767_290_400 };
        let text = r#"{"Statement":[{"Resource":"https://d111111abcdef8.cloudfront.net/ID/0A/*","Condition":{"DateLessThan":{"AWS:EpochTime":1767290400}}}]}"#;
        assert_eq!(policy.to_string(), text);
    }

    #[test]
    fn base64_uses_the_alphabet_of_cloudfront() {
        // `printf '\xfb\xef\xff\xfe' | base64` is ++///g==
        assert_eq!(encode(b"\xfb\xef\xff\xfe"), "--~~~g__");
        assert_eq!(encode(b""), "");
    }

    proptest! {
        #[test]
        fn base64_of_any_bytes_needs_no_escaping_in_a_query(bytes: Vec<u8>) {
            let text = encode(&bytes);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte)));
            prop_assert_eq!(text.len(), bytes.len().div_ceil(3) * 4);
        }
    }
}
