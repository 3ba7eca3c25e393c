//! JSON in the characters that queues and topics accept.

/// Escapes U+FFFE and U+FFFF in a JSON document. The meaning of the document stays the same.
///
/// SQS accepts the characters of XML 1.0. It rejects a message with another character, or replaces the
/// character by U+FFFD; its documentation says both (Amazon SQS API Reference, `SendMessage`). JSON
/// escapes control characters anyway, but not U+FFFE and U+FFFF, which names and titles may contain.
pub fn escape_noncharacters(json: String) -> String {
    // Fast path: in UTF-8 both begin with this byte, as few other characters do.
    if !json.as_bytes().contains(&0xef) || !json.contains(['\u{fffe}', '\u{ffff}']) {
        return json;
    }
    // In JSON they occur inside strings only.
    json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Characters that SQS accepts (Amazon SQS API Reference, `SendMessage`).
    fn is_accepted(c: char) -> bool {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn only_noncharacters_are_escaped() {
        for json in ["{}", "\"한국어 ｆｕｌｌ width\"", "\"\u{fffd}\u{1f600}\""] {
            assert_eq!(escape_noncharacters(json.to_owned()), json);
        }
        assert_eq!(escape_noncharacters("{\"\u{ffff}\":\"a\u{fffe}\"}".to_owned()), r#"{"\uffff":"a\ufffe"}"#);
    }

    proptest! {
        #[test]
        fn escaped_json_has_accepted_characters_and_the_same_meaning(name in malformed_inputs::text(), text in malformed_inputs::text()) {
            let document = json!({&name: [text]});
            let sent = escape_noncharacters(document.to_string());
            prop_assert!(sent.chars().all(is_accepted), "{}", sent);
            prop_assert_eq!(serde_json::from_str::<Value>(&sent).expect("JSON"), document);
        }
    }
}
