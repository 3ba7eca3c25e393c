//! Checks the inboxes: the stored groups against the history, and what the API shows against these groups and the graph.

mod differences;
mod export;
mod ids;
mod item;
mod row;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use stack::{Stack, users::User};

use self::{
    differences::{entry_differences, list_differences, order_differences},
    export::{export_differences, is_export},
    ids::Ids,
    item::item,
    row::group,
};
use super::findings::Findings;
use crate::{
    driver::Driver,
    model::{self, Certainty, ExpectedEntry, Graph, InboxKey},
    size::PERSONS,
};

/// Notifications per request: few, so that cursors are followed.
const PAGE: usize = 3;

/// What decides about the inbox of a person.
struct Expected<'a> {
    person: usize,
    entries: BTreeMap<InboxKey, ExpectedEntry>,
    graph: &'a Graph,
    read_through: Option<i64>,
    /// Id of the requested export.
    export: Option<&'a str>,
}

/// Checks that inboxes hold all required entries, no forbidden ones, and none twice; and that readers see of them what they
/// may see, the newest first, and how much is unread.
pub async fn check(driver: &Driver<'_>, findings: &mut Findings) -> Result<()> {
    let history = &driver.executed;
    let (entries, graph, erased) = (model::inbox(history), Graph::of(history), model::erased(history));
    let ids = Ids::of(history, |node| driver.actors.id(node), |link| driver.actors.edge(link));
    for person in 0..PERSONS {
        let user = driver.actors.user(person);
        let is_erased = erased.contains(&person);
        let entries = entries.iter().filter(|(key, _)| key.recipient == person);
        let expected = Expected {
            person,
            entries: entries.map(|(key, entry)| (*key, *entry)).collect(),
            graph: &graph,
            read_through: model::read_through(history, person),
            export: driver.actors.exports().get(&person).map(String::as_str).filter(|_| !is_erased),
        };
        let required = expected.entries.values().filter(|entry| entry.certainty == Certainty::Must);
        findings.entries += required.count() as u64;
        let rows = rows(driver.stack, &user.id).await?;
        let pages = if is_erased { Vec::new() } else { pages(driver.stack, user, rows.len()).await? };
        let differences = differences(&ids, &expected, rows, &pages).into_iter();
        findings.violations.extend(differences.map(|difference| format!("inbox of person {person}: {difference}")));
    }
    Ok(())
}

/// The differences of the stored rows and of the pages of the API from what is expected.
fn differences(ids: &Ids, expected: &Expected<'_>, rows: Vec<Value>, pages: &[Value]) -> Vec<String> {
    let Expected { person, entries, graph, read_through, export } = expected;
    let mut differences = Vec::new();
    let (exports, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| is_export(&row["rule"]["S"]));
    let read = rows.iter().map(|row| group(ids, row).with_context(|| format!("unexpected row: {row}")));
    let groups = readable(read, &mut differences);
    differences.extend(entry_differences(*person, entries, &groups));

    let items: Vec<_> = pages.iter().flat_map(|page| page["items"].as_array().into_iter().flatten().cloned()).collect();
    differences.extend(order_differences(&items));
    let (export_items, items): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| is_export(&item["rule"]));
    let read = items.iter().map(|json| item(ids, json).with_context(|| format!("unexpected notification: {json}")));
    let items = readable(read, &mut differences);
    differences.extend(export_differences(*export, &exports, (!pages.is_empty()).then_some(export_items.as_slice())));

    let updated_at = groups.iter().map(|group| group.updated_at);
    let updated_at = updated_at.chain(exports.iter().filter_map(|row| export::updated_at(row).ok()));
    let unread = model::unread(updated_at, *read_through);
    if !pages.is_empty() {
        differences.extend(list_differences(&model::shown(graph, *person, &groups, *read_through), &items));
    }
    let wrong = pages.iter().find(|page| page["unread"] != unread);
    differences.extend(wrong.map(|page| format!("{} are unread, not {unread}", page["unread"])));
    differences
}

/// The values that could be read. The errors are differences.
fn readable<T>(read: impl Iterator<Item = Result<T>>, differences: &mut Vec<String>) -> Vec<T> {
    let mut values = Vec::new();
    for value in read {
        match value {
            Ok(value) => values.push(value),
            Err(error) => differences.push(format!("{error:#}")),
        }
    }
    values
}

/// The rows of a user's groups.
async fn rows(stack: &Stack, user: &str) -> Result<Vec<Value>> {
    let mut input = json!({
        "TableName": stack.output("InboxTableName")?, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": format!("user#{user}")}},
    });
    let mut rows = Vec::new();
    loop {
        let mut page = stack.aws().json("dynamodb", "DynamoDB_20120810.Query", &input).await?;
        rows.append(page["Items"].as_array_mut().context("the response has no items")?);
        let last = page["LastEvaluatedKey"].take();
        if last.is_null() {
            return Ok(rows);
        }
        input["ExclusiveStartKey"] = last;
    }
}

/// All pages of a user's notifications: at least one. `groups` is the number of stored ones, also of those that are not
/// shown.
async fn pages(stack: &Stack, user: &User, groups: usize) -> Result<Vec<Value>> {
    let mut pages: Vec<Value> = Vec::new();
    let mut path = format!("/v1/notifications?limit={PAGE}");
    loop {
        let page = user.request(stack, Method::GET, &path, None).await?;
        let next = page["next"].as_str().map(str::to_owned);
        pages.push(page);
        let Some(next) = next else { return Ok(pages) };
        // Each page but the last one reads at least as many groups.
        ensure!(pages.len() <= groups / PAGE + 1, "the notifications have no last page");
        path = format!("/v1/notifications?limit={PAGE}&cursor={next}");
    }
}

#[cfg(test)]
mod tests {
    use domain::push::InboxGroup;

    use super::*;
    use crate::{model::testing::executed, operation::Operation};

    const UPDATED_AT: &str = "2026-11-22T00:00:01.234Z";
    const MARK: i64 = 1_795_305_601_234;

    /// A like of the story of person 0, and a requested export.
    fn rows() -> Vec<Value> {
        let mut group = InboxGroup::default();
        let entry = json!({
            "edge": "likes:person-1:story-0", "position": "2/1", "actor": "person-1", "source": "person-1",
            "target": "story-0", "committed_at": "2026-11-22T00:00:00.001Z", "added_at": UPDATED_AT,
        });
        group.add(serde_json::from_value(entry).expect("an entry"));
        let content = serde_json::to_string(&group).expect("JSON");
        let row = |rule: &str, key: &str| {
            json!({
                "rule": {"S": rule}, "sk": {"S": format!("group#{rule}:{key}")}, "content": {"S": content},
                "updated_at": {"S": UPDATED_AT}, "expires_at": {"N": "1803081601"},
            })
        };
        vec![row("like-story", "story-0"), row("export-ready", "e1")]
    }

    /// What the API shows of it.
    fn page(is_read: bool, unread: u64) -> Value {
        let like = json!({
            "id": "1", "rule": "like-story", "actors": [{"id": "person-1", "name": "사람 1, 0"}], "actorCount": 1,
            "source": "person-1", "target": "story-0", "title": "이야기 0, 0",
            "happenedAt": "2026-11-22T00:00:00.001Z", "updatedAt": UPDATED_AT, "isRead": is_read,
        });
        let export = json!({
            "id": "2", "rule": "export-ready", "actors": [], "actorCount": 0, "source": "e1", "updatedAt": UPDATED_AT,
        });
        json!({"items": [like, export], "unread": unread})
    }

    fn found(read_through: Option<i64>, rows: Vec<Value>, pages: &[Value]) -> Vec<String> {
        let history =
            executed(vec![Operation::PublishStory { author: 0, story: 0 }, Operation::Like { from: 1, story: 0 }]);
        let id = |node| match node {
            model::Node::Person(number) | model::Node::Story(number) => format!("{}-{number}", node.label()),
            other => format!("{other:?}"),
        };
        let ids = Ids::of(&history, id, |link| format!("{}:{}:{}", link.label, id(link.from), id(link.to)));
        let (entries, graph) = (model::inbox(&history), Graph::of(&history));
        let expected = Expected { person: 0, entries, graph: &graph, read_through, export: Some("e1") };
        differences(&ids, &expected, rows, pages)
    }

    #[test]
    fn inbox_of_rows_and_pages_is_compared() {
        assert_eq!(found(None, rows(), &[page(false, 2)]), [""; 0]);
        assert_eq!(found(Some(MARK), rows(), &[page(true, 0)]), [""; 0]);
        assert_eq!(found(None, rows(), &[page(false, 1)]), ["1 are unread, not 2"]);
        assert_eq!(found(Some(MARK - 1), rows(), &[page(true, 2)]).len(), 1);
        // Neither stored nor shown: the like and the export are missing.
        assert_eq!(found(None, vec![], &[json!({"items": [], "unread": 0})]).len(), 2);
        // Stored, but not shown.
        assert_eq!(found(None, rows(), &[json!({"items": [], "unread": 2})]).len(), 2);
        let mut unreadable = rows();
        unreadable[0]["content"] = Value::Null;
        assert!(found(None, unreadable, &[])[0].starts_with("unexpected row"));
    }
}
