//! The notification that an export is ready.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::row::milliseconds;
use crate::model;

/// Whether this is its rule.
pub fn is_export(rule: &Value) -> bool {
    rule == model::EXPORT_READY
}

/// When a row was last added to, in milliseconds since 1970.
pub fn updated_at(row: &Value) -> Result<i64> {
    milliseconds(row["updated_at"]["S"].as_str().context("no time")?)
}

/// The differences of its rows, and of its items if the API was read. `requested` is the id of the copy that the person has
/// requested last. An attempt whose answer was lost may have requested another one.
pub fn export_differences(requested: Option<&str>, rows: &[Value], items: Option<&[Value]>) -> Vec<String> {
    let mut differences = Vec::new();
    let stored: BTreeSet<_> = rows.iter().map(|row| row["sk"]["S"].as_str().and_then(export_of_key)).collect();
    if stored.contains(&None) || (requested.is_none() && !stored.is_empty()) {
        differences.push(format!("must not be in the inbox: {rows:?}"));
    }
    if requested.is_some() && !stored.contains(&requested) {
        differences.push(format!("is not in the inbox: copy {requested:?}"));
    }
    let Some(items) = items else { return differences };
    let shown: BTreeSet<_> = items.iter().map(|item| item["source"].as_str()).collect();
    if shown != stored || items.len() != rows.len() {
        differences.push(format!("{stored:?} are in the inbox, but {items:?} are shown"));
    }
    let is_of_service = |item: &&Value| item["actorCount"] == 0 && item["actors"].as_array().is_some_and(Vec::is_empty);
    let by_persons = items.iter().filter(|item| !is_of_service(item));
    differences.extend(by_persons.map(|item| format!("is shown with actors: {item}")));
    differences
}

fn export_of_key(key: &str) -> Option<&str> {
    key.strip_prefix("group#")?.strip_prefix(model::EXPORT_READY)?.strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(id: &str) -> Value {
        json!({"sk": {"S": format!("group#export-ready:{id}")}, "updated_at": {"S": "2026-11-22T00:00:01.234Z"}})
    }

    fn item(id: &str) -> Value {
        json!({"source": id, "actors": [], "actorCount": 0})
    }

    fn differences(requested: Option<&str>, stored: &[&str], shown: &[&str]) -> usize {
        let (rows, items): (Vec<_>, Vec<_>) =
            (stored.iter().map(|id| row(id)).collect(), shown.iter().map(|id| item(id)).collect());
        export_differences(requested, &rows, Some(&items)).len()
    }

    #[test]
    fn requested_copy_is_stored_and_shown() {
        assert_eq!(differences(None, &[], &[]), 0);
        assert_eq!(differences(Some("e1"), &["e1"], &["e1"]), 0);
        assert_eq!(differences(Some("e1"), &["e1", "e2"], &["e1", "e2"]), 0, "an answer was lost");
        assert_eq!(differences(Some("e1"), &[], &[]), 1);
        assert_eq!(differences(Some("e1"), &["e2"], &["e2"]), 1);
        assert_eq!(differences(None, &["e1"], &["e1"]), 1);
        assert_eq!(differences(Some("e1"), &["e1"], &[]), 1);
        assert_eq!(differences(Some("e1"), &["e1"], &["e1", "e1"]), 1);
        assert_eq!(export_differences(None, &[row("e1")], None).len(), 1);
        let by_person = json!({"source": "e1", "actors": [{"id": "p"}], "actorCount": 1});
        assert_eq!(export_differences(Some("e1"), &[row("e1")], Some(&[by_person])).len(), 1);
        assert_eq!(updated_at(&row("e1")).expect("a time"), 1_795_305_601_234);
    }
}
