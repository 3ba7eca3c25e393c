use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    ids::Ids,
    row::{milliseconds, rule},
};
use crate::model::{GroupKey, Link, Shown, subject};

/// A notification of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is about.
    pub key: GroupKey,
    /// The rest.
    pub shown: Shown,
}

/// The notification in an item of the API.
///
/// # Errors
/// If the item is not as documented, or about unknown vertices.
pub fn item(ids: &Ids, json: &Value) -> Result<Item> {
    let text = |name: &str| json[name].as_str().with_context(|| format!("no {name}"));
    let actor = |actor: &Value| {
        let person = ids.person(actor["id"].as_str().context("an actor without id")?)?;
        Ok((person, actor["name"].as_str().map(str::to_owned)))
    };
    let actors = json["actors"].as_array().context("no actors")?.iter().map(actor).collect::<Result<_>>()?;
    let rule = rule(text("rule")?)?;
    let ends = (ids.node(text("source")?)?, ids.node(text("target")?)?);
    let link = Link { label: "", from: ends.0, to: ends.1 };
    let subject = subject(rule, &link).with_context(|| format!("unexpected rule: {rule}"))?;
    let shown = Shown {
        actors,
        actor_count: json["actorCount"].as_u64().context("no number of actors")?,
        ends,
        title: json["title"].as_str().map(str::to_owned),
        happened_at: milliseconds(text("happenedAt")?)?,
        updated_at: milliseconds(text("updatedAt")?)?,
        is_read: json["isRead"].as_bool().context("not whether it is read")?,
    };
    Ok(Item { key: GroupKey { rule, subject }, shown })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::{Node, testing::executed},
        operation::Operation,
    };

    #[test]
    fn item_of_the_api_is_read() {
        let history = executed(vec![Operation::PublishStory { author: 0, story: 0 }]);
        let ids = Ids::of(&history, |node| format!("{node:?}"), |link| format!("{link:?}"));
        let mut json = json!({
            "rule": "like-story", "category": "likes", "actorCount": 2, "isRead": true, "title": "첫눈",
            "actors": [{"id": "Person(2)", "name": "준"}, {"id": "Person(1)"}],
            "source": "Person(2)", "target": "Story(0)",
            "happenedAt": "2026-11-22T00:00:00.000Z", "updatedAt": "2026-11-22T00:00:01.234Z",
        });
        let read = item(&ids, &json).expect("an item");
        let shown = Shown {
            actors: vec![(2, Some("준".to_owned())), (1, None)],
            actor_count: 2,
            ends: (Node::Person(2), Node::Story(0)),
            title: Some("첫눈".to_owned()),
            happened_at: 1_795_305_600_000,
            updated_at: 1_795_305_601_234,
            is_read: true,
        };
        let key = GroupKey { rule: "like-story", subject: Node::Story(0) };
        assert_eq!(read, Item { key, shown });
        json["source"] = "someone".into();
        assert_eq!(item(&ids, &json).expect_err("rejected").to_string(), "unknown vertex: someone");
    }
}
