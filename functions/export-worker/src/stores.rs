//! Where rows about a person are: every table of the stack, but for those that a test lists with
//! reasons.

use serde_json::Value;
use store::personal_data::{Find, PersonalRows, Row};

use crate::config::Tables;

/// Rows of a table in the document.
pub struct Store {
    /// Name of the list in the document.
    pub name: &'static str,
    /// The table; `None` if the stack has none.
    pub table: fn(&Tables) -> Option<&str>,
    /// The rows about a person.
    pub rows: PersonalRows,
}

/// All rows of the document, in its order.
pub const STORES: [Store; 13] = [
    Store { name: "media", table: |tables| Some(&tables.media_table), rows: by_index("all_for_owner", LIST_KEYS) },
    Store { name: "reports", table: |tables| Some(&tables.reports_table), rows: by_key("reporter", "", EXPIRY) },
    Store { name: "budgets", table: |tables| Some(&tables.quotas_table), rows: by_key("owner", "", EXPIRY) },
    Store {
        name: "devices",
        table: |tables| Some(&tables.devices_table),
        rows: by_key("user", "", &["token", "token_hash", "endpoint_arn", "registration"]),
    },
    Store { name: "inbox", table: |tables| Some(&tables.inbox_table), rows: by_key("pk", "user#", &["revision"]) },
    Store { name: "inboxRead", table: |tables| Some(&tables.inbox_read_table), rows: by_key("user", "", EXPIRY) },
    Store { name: "graph", table: |tables| Some(&tables.audience_table), rows: by_key("pk", "vertex#", NONCE) },
    Store { name: "followers", table: |tables| Some(&tables.audience_table), rows: by_key("pk", "followers#", EXPIRY) },
    // Also whom the person blocks.
    Store {
        name: "following",
        table: |tables| tables.follows_table.as_deref(),
        rows: by_key("pk", "following#", EXPIRY),
    },
    Store {
        name: "relations",
        table: |tables| Some(&tables.audience_table),
        rows: scan("contains(pk, :person)", is_relation),
    },
    Store {
        name: "notifications",
        table: |tables| Some(&tables.ledger_table),
        rows: scan("contains(id, :person)", is_delivery),
    },
    Store { name: "search", table: |tables| tables.search_table.as_deref(), rows: scan("", is_document) },
    Store { name: "mirror", table: |tables| tables.mirror_table.as_deref(), rows: scan("", is_element) },
];

const EXPIRY: &[&str] = &["expires_at"];
const NONCE: &[&str] = &["nonce"];
/// Attributes that repeat the owner for the indexes of readers.
const LIST_KEYS: &[&str] = &[
    "all_for_owner",
    "all_for_followers",
    "all_for_anyone",
    "kind_for_owner",
    "kind_for_followers",
    "kind_for_anyone",
    "post_for_owner",
    "post_for_followers",
    "post_for_anyone",
];

const fn by_key(attribute: &'static str, prefix: &'static str, without: &'static [&'static str]) -> PersonalRows {
    PersonalRows { find: Find::Key { index: None, attribute, prefix }, without }
}

/// By the partition key of an index, which has the name of the index.
const fn by_index(index: &'static str, without: &'static [&'static str]) -> PersonalRows {
    PersonalRows { find: Find::Key { index: Some(index), attribute: index, prefix: "" }, without }
}

const fn scan(filter: &'static str, is_about: fn(&Row<'_>, &str) -> bool) -> PersonalRows {
    PersonalRows { find: Find::Scan { filter, is_about }, without: EXPIRY }
}

/// Whether the person blocks or mutes someone. That others do is theirs.
fn is_relation(row: &Row<'_>, person: &str) -> bool {
    ["blocks#", "mutes#"].iter().any(|relation| row.registers(relation).any(|by| by == person))
}

/// The recipient is the last part of an id.
fn is_delivery(row: &Row<'_>, person: &str) -> bool {
    row.text("id").and_then(|id| id.rsplit_once('#')).is_some_and(|(_, recipient)| recipient == person)
}

/// The person's own document, and those of their stories.
fn is_document(row: &Row<'_>, person: &str) -> bool {
    // A time, a space, the author.
    let is_author = |value: &str| value.split_once(' ').is_some_and(|(_, author)| author == person);
    row.text("id") == Some(person) || row.registers("told#").any(is_author)
}

/// The person's vertex. What else the graph has about them is in the other lists, or belongs to its owner.
fn is_element(row: &Row<'_>, person: &str) -> bool {
    let element: Option<Value> = row.text("element").and_then(|json| serde_json::from_str(json).ok());
    element.is_some_and(|element| element["kind"] == "vertex" && element["id"] == person)
}
