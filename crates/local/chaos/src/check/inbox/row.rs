use anyhow::{Context, Result, ensure};
use domain::push::{InboxEntry, rules};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::ids::Ids;
use crate::model::{Entry, Group, GroupKey};

/// How long the inbox keeps an entry.
const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 90);

/// The content of a row.
#[derive(Deserialize)]
struct Content {
    entries: Vec<InboxEntry>,
    /// Number of earlier entries.
    #[serde(default)]
    older: u64,
}

/// The group in a row.
///
/// # Errors
/// If the row is not as documented, or about unknown vertices.
pub fn group(ids: &Ids, row: &Value) -> Result<Group> {
    let text = |name: &str| row[name]["S"].as_str().with_context(|| format!("no {name}"));
    let rule = rule(text("rule")?)?;
    let subject = text("sk")?.strip_prefix("group#").and_then(|key| key.strip_prefix(rule)?.strip_prefix(':'));
    let subject = ids.node(subject.context("the key is of another rule")?)?;
    let Content { entries, older } = serde_json::from_str(text("content")?)?;
    ensure!(older == 0, "{older} entries are only counted");
    let added_at = entries.iter().map(|entry| entry.added_at).max().context("no entries")?;
    ensure!(text("updated_at")? == format!("{added_at:.3}"), "the last entry was added at {added_at}");
    let expires_at: i64 = row["expires_at"]["N"].as_str().context("no expiry")?.parse()?;
    ensure!(expires_at == added_at.checked_add(RETENTION)?.as_second(), "the row expires at {expires_at}");
    let entries = entries.iter().map(|stored| entry(ids, stored)).collect::<Result<_>>()?;
    Ok(Group { key: GroupKey { rule, subject }, updated_at: added_at.as_millisecond(), entries })
}

/// The id of a rule.
pub fn rule(id: &str) -> Result<&'static str> {
    Ok(&rules::by_id(id).with_context(|| format!("unknown rule: {id}"))?.id)
}

/// Milliseconds since 1970.
pub fn milliseconds(time: &str) -> Result<i64> {
    Ok(time.parse::<Timestamp>()?.as_millisecond())
}

fn entry(ids: &Ids, stored: &InboxEntry) -> Result<Entry> {
    let link = ids.link(&stored.edge)?;
    let ends = (ids.node(&stored.source)?, ids.node(&stored.target)?);
    ensure!(ends == (link.from, link.to), "{ends:?} are not the ends of {}", stored.edge);
    Ok(Entry {
        generation: stored.position.generation.into(),
        commit: stored.position.position.commit_num,
        link,
        actor: ids.person(&stored.actor)?,
        committed_at: stored.committed_at.as_millisecond(),
        added_at: stored.added_at.as_millisecond(),
    })
}

#[cfg(test)]
mod tests {
    use domain::{graph::Position, push::InboxGroup};
    use serde_json::json;

    use super::*;
    use crate::{
        model::{Link, Node, testing::executed},
        operation::Operation,
    };

    const LIKE: Link = Link { label: "likes", from: Node::Person(1), to: Node::Story(0) };

    fn ids() -> Ids {
        let history =
            executed(vec![Operation::PublishStory { author: 0, story: 0 }, Operation::Like { from: 1, story: 0 }]);
        Ids::of(&history, |node| format!("{node:?}"), |link| format!("{link:?}"))
    }

    fn row(edge: Link, actor: Node) -> Value {
        let time = |text: &str| text.parse().expect("a time");
        let mut group = InboxGroup::default();
        group.add(InboxEntry {
            edge: format!("{edge:?}"),
            position: Position::new(7, 2).into(),
            actor: format!("{actor:?}"),
            source: format!("{:?}", LIKE.from),
            target: format!("{:?}", LIKE.to),
            committed_at: time("2026-11-22T00:00:00Z"),
            added_at: time("2026-11-22T00:00:01.2345Z"),
        });
        json!({
            "pk": {"S": "user#Person(0)"}, "sk": {"S": "group#like-story:Story(0)"}, "rule": {"S": "like-story"},
            "content": {"S": serde_json::to_string(&group).expect("JSON")},
            "updated_at": {"S": "2026-11-22T00:00:01.234Z"}, "expires_at": {"N": "1803081601"},
        })
    }

    #[test]
    fn row_of_a_group_is_read() {
        let committed_at = 1_795_305_600_000;
        let added_at = committed_at + 1_234;
        let entry = Entry { generation: 0, commit: 7, link: LIKE, actor: 1, committed_at, added_at };
        let key = GroupKey { rule: "like-story", subject: LIKE.to };
        let expected = Group { key, updated_at: added_at, entries: vec![entry] };
        assert_eq!(group(&ids(), &row(LIKE, LIKE.from)).expect("a group"), expected);
    }

    #[test]
    fn unexpected_row_is_rejected() {
        let rejected = |row: &Value| group(&ids(), row).expect_err("rejected").to_string();
        let with = |name: &str, value: Value| {
            let mut row = row(LIKE, LIKE.from);
            row[name] = value;
            rejected(&row)
        };
        assert_eq!(with("rule", json!({"S": "story"})), "the key is of another rule");
        assert_eq!(with("rule", json!({"S": "love"})), "unknown rule: love");
        assert_eq!(with("sk", json!({"S": "group#like-story:x"})), "unknown vertex: x");
        assert_eq!(with("content", json!({"S": r#"{"entries": []}"#})), "no entries");
        assert!(
            with("updated_at", json!({"S": "2026-11-22T00:00:00.234Z"})).starts_with("the last entry was added at")
        );
        assert_eq!(with("expires_at", json!({"N": "1803081600"})), "the row expires at 1803081600");
        assert_eq!(rejected(&row(LIKE, LIKE.to)), "Story(0) is no person");
        let other = Link { label: "told", from: Node::Person(0), to: LIKE.to };
        assert!(rejected(&row(other, LIKE.from)).starts_with("(Person(1), Story(0)) are not the ends of"));
    }
}
