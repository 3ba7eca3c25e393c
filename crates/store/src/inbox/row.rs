use domain::push::{INBOX_RETENTION, InboxGroup};
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde::Deserialize;

use crate::attribute::{Attributes, get_text, seconds, text};

/// Prefix of the partition keys of users.
pub(super) const USER_PREFIX: &str = "user#";
/// Prefix of the sort keys of groups.
pub(super) const GROUP_PREFIX: &str = "group#";

/// A group of a user's inbox, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGroup {
    /// Unique among the user's groups.
    pub key: String,
    /// Id of the notification rule.
    pub rule: String,
    /// The entries.
    pub group: InboxGroup,
}

/// A recipient who has an entry of an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user's `sub`.
    pub recipient: String,
    /// Id of the notification rule.
    pub rule: String,
    /// Key of the group with the entry.
    pub group: String,
}

/// The partition key of a user's groups.
pub(super) fn user_partition(user: &str) -> String {
    format!("{USER_PREFIX}{user}")
}

/// The partition key of the recipients of an edge.
pub(super) fn edge_partition(edge: &str) -> String {
    format!("edge#{edge}")
}

/// The key with these texts.
pub(super) fn key(pk: String, sk: String) -> Attributes {
    Attributes::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// The sort key of the group `key`.
pub(super) fn group_key(key: &str) -> String {
    format!("{GROUP_PREFIX}{key}")
}

/// A time as text. All have the same length, so they sort like times.
pub(super) fn time_text(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// When what was added at `time` expires.
pub(super) fn expires_at(time: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    seconds(time.checked_add(INBOX_RETENTION).unwrap_or(Timestamp::MAX))
}

/// What a page needs of the row of a group.
#[derive(Deserialize)]
pub(super) struct GroupRow {
    sk: String,
    rule: String,
    content: String,
}

/// The key of the last row of a page.
#[derive(Deserialize)]
pub(super) struct LastKey {
    pub(super) sk: String,
    pub(super) updated_at: String,
}

impl TryFrom<GroupRow> for StoredGroup {
    type Error = Failure;

    fn try_from(GroupRow { sk, rule, content }: GroupRow) -> Result<Self, Failure> {
        Self::of(&sk, rule, &content)
    }
}

impl StoredGroup {
    pub(super) fn read(row: &Attributes) -> Result<Self, Failure> {
        Self::of(required(row, "sk")?, required(row, "rule")?.to_owned(), required(row, "content")?)
    }

    fn of(sk: &str, rule: String, content: &str) -> Result<Self, Failure> {
        let key = sk.strip_prefix(GROUP_PREFIX).ok_or_else(|| unreadable("the sort key"))?.to_owned();
        // The error could quote ids.
        let group = serde_json::from_str(content).map_err(|_| unreadable("the content"))?;
        Ok(Self { key, rule, group })
    }
}

impl Holder {
    pub(super) fn read(row: &Attributes) -> Result<Self, Failure> {
        let text = |name| required(row, name).map(str::to_owned);
        Ok(Self { recipient: text("recipient")?, rule: text("rule")?, group: text("group")? })
    }

    pub(super) fn sort_key(&self) -> String {
        format!("to#{}#{}", self.rule, self.recipient)
    }
}

/// A text that every row has.
pub(super) fn required<'a>(row: &'a Attributes, name: &'static str) -> Result<&'a str, Failure> {
    get_text(row, name).ok_or_else(|| unreadable(name))
}

fn unreadable(what: &'static str) -> Failure {
    Failure::bug("read a row of the inbox", format!("{what} is missing or has an unexpected form"))
}
