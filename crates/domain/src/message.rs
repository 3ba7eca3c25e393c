//! JSON as messages carry it.

/// The JSON document `json` with the same meaning, in characters that queues and topics take.
///
/// SQS takes the characters of XML 1.0 and refuses a message with another one, or puts U+FFFD in its
/// place: its documentation says both (Amazon SQS API Reference, `SendMessage`). JSON escapes the
/// control characters among the others anyway, but neither U+FFFE nor U+FFFF, which people can have
/// in a name.
pub fn escape_noncharacters(json: String) -> String {
    // Both begin with this byte in UTF-8, and little else does.
    if !json.as_bytes().contains(&0xef) || !json.contains(['\u{fffe}', '\u{ffff}']) {
        return json;
    }
    // In JSON, they can stand within texts only.
    json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Amazon SQS API Reference, `SendMessage`.
    fn is_taken(c: char) -> bool {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn what_needs_no_change_gets_none() {
        for json in ["{}", "\"한국어 ｆｕｌｌ width\"", "\"\u{fffd}\u{1f600}\""] {
            assert_eq!(escape_noncharacters(json.to_owned()), json);
        }
        assert_eq!(escape_noncharacters("{\"\u{ffff}\":\"a\u{fffe}\"}".to_owned()), r#"{"\uffff":"a\ufffe"}"#);
    }

    proptest! {
        #[test]
        fn every_text_is_taken_and_means_the_same(name in malformed_inputs::text(), text in malformed_inputs::text()) {
            let document = json!({&name: [text]});
            let sent = escape_noncharacters(document.to_string());
            prop_assert!(sent.chars().all(is_taken), "{}", sent);
            prop_assert_eq!(serde_json::from_str::<Value>(&sent).expect("JSON"), document);
        }
    }
}
