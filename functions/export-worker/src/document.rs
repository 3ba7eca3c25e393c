//! The document `data.json`, written piece by piece:
//! `{"format":…,"createdAt":…,"account":…,"<store>":[…],…}`.

use jiff::Timestamp;
use serde_json::{Value, json};

/// Its path in the zip file.
pub const PATH: &str = "data.json";
/// Version of its form. Lists and attributes may be added without a new one.
const FORMAT: u32 = 1;

/// The beginning, with the person's account.
pub fn begin(user: &str, profile: &Value, created_at: Timestamp) -> String {
    let account = json!({"id": user, "profile": profile});
    format!("{{\"format\":{FORMAT},\"createdAt\":\"{created_at:.3}\",\n\"account\":{account}")
}

/// The beginning of a list.
pub fn begin_list(name: &str) -> String {
    format!(",\n\"{name}\":[")
}

/// Rows of a list, which has rows already if `has_rows`.
pub fn rows(rows: &[Value], has_rows: bool) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        text.push_str(if has_rows || index > 0 { ",\n" } else { "\n" });
        text.push_str(&row.to_string());
    }
    text
}

/// The end of a list.
pub const END_LIST: &str = "]";

/// The end.
pub const END: &str = "\n}\n";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn document_in_pieces_is_json(
            lists in prop::collection::vec(prop::collection::vec(prop::collection::vec("\\PC{0,9}", 0..4), 0..4), 0..4),
            name in "\\PC{0,20}",
        ) {
            let profile = json!({"name": name});
            let mut text = begin("mina", &profile, Timestamp::UNIX_EPOCH);
            for (number, pages) in lists.iter().enumerate() {
                text.push_str(&begin_list(&format!("list{number}")));
                let mut has_rows = false;
                for page in pages {
                    let page: Vec<_> = page.iter().map(|text| json!({"text": text})).collect();
                    text.push_str(&rows(&page, has_rows));
                    has_rows |= !page.is_empty();
                }
                text.push_str(END_LIST);
            }
            text.push_str(END);
            let document: Value = serde_json::from_str(&text).expect("JSON");
            prop_assert_eq!(&document["account"]["profile"]["name"], &json!(name));
            for (number, pages) in lists.iter().enumerate() {
                let expected: Vec<_> = pages.iter().flatten().map(|text| json!({"text": text})).collect();
                prop_assert_eq!(&document[format!("list{number}")], &json!(expected));
            }
        }
    }
}
