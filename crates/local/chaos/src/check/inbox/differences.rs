//! The differences between expected and actual inboxes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::item::Item;
use crate::model::{Certainty, Entry, ExpectedEntry, Group, GroupKey, InboxKey, Shown, subject};

/// The differences between the stored groups of a person and the entries that the model expects there.
pub fn entry_differences(person: usize, expected: &BTreeMap<InboxKey, ExpectedEntry>, groups: &[Group]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut found = BTreeSet::new();
    for group in groups {
        let GroupKey { rule, subject: of_group } = group.key;
        let positions = group.entries.iter().map(|entry| (entry.generation, entry.commit));
        if !positions.is_sorted() {
            differences.push(format!("is not in the order of commits: {group:?}"));
        }
        for entry in &group.entries {
            let Entry { generation, commit, .. } = *entry;
            let key = InboxKey { recipient: person, generation, commit, rule };
            match expected.get(&key) {
                None => differences.push(format!("must not be in the inbox: {key:?}, {entry:?}")),
                Some(_) if subject(rule, &entry.link) != Some(of_group) => {
                    differences.push(format!("is in the group of {of_group:?}: {key:?}, {entry:?}"));
                }
                Some(expected) => {
                    differences.extend(wrong(*expected, *entry).map(|wrong| format!("{wrong}: {key:?}, {entry:?}")))
                }
            }
            if !found.insert(key) {
                differences.push(format!("is in the inbox twice: {key:?}"));
            }
        }
    }
    let is_missing =
        |(key, entry): &(&InboxKey, &ExpectedEntry)| entry.certainty == Certainty::Must && !found.contains(*key);
    let missing = expected.iter().filter(is_missing);
    differences.extend(missing.map(|(key, entry)| format!("is not in the inbox: {key:?}, {:?}", entry.link)));
    differences
}

/// What is wrong with an entry, if anything is.
fn wrong(expected: ExpectedEntry, entry: Entry) -> Option<String> {
    let is_as_expected =
        (expected.link, expected.actor, expected.committed_at) == (entry.link, entry.actor, entry.committed_at);
    if !is_as_expected {
        Some(format!("is not {expected:?}"))
    } else if entry.added_at < entry.committed_at {
        Some("was added before its commit".to_owned())
    } else {
        expected.added_by.filter(|by| entry.added_at > *by).map(|by| format!("was added again after {by}"))
    }
}

/// The differences between the notifications that a person should see and those that the API shows.
pub fn list_differences(expected: &BTreeMap<GroupKey, Shown>, items: &[Item]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut found = BTreeSet::new();
    for Item { key, shown } in items {
        match expected.get(key) {
            None => differences.push(format!("must not be shown: {key:?}, {shown:?}")),
            Some(expected) if expected != shown => {
                differences.push(format!("is shown as {shown:?}, not {expected:?}: {key:?}"));
            }
            Some(_) => {}
        }
        if !found.insert(key) {
            differences.push(format!("is shown twice: {key:?}"));
        }
    }
    let missing = expected.iter().filter(|(key, _)| !found.contains(key));
    differences.extend(missing.map(|missing| format!("is not shown: {missing:?}")));
    differences
}

/// Whether the API shows notifications in another order than the newest first, or an id twice.
pub fn order_differences(items: &[Value]) -> Vec<String> {
    let mut differences = Vec::new();
    // The times have the same length.
    if !items.iter().rev().is_sorted_by_key(|item| item["updatedAt"].as_str()) {
        differences.push(format!("are not shown the newest first: {items:?}"));
    }
    let ids: BTreeSet<_> = items.iter().map(|item| item["id"].as_str()).collect();
    if ids.len() < items.len() || ids.contains(&None) {
        differences.push(format!("have not their own ids: {items:?}"));
    }
    differences
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::{self, Graph, testing::executed},
        operation::Operation,
    };

    const FOLLOW: Operation = Operation::Follow { from: 1, to: 0 };
    const PUBLISH: Operation = Operation::PublishStory { author: 0, story: 0 };
    const LIKE: Operation = Operation::Like { from: 1, story: 0 };
    const OTHER_LIKE: Operation = Operation::Like { from: 2, story: 0 };
    const UNLIKE: Operation = Operation::Unlike { from: 2, story: 0 };

    fn expected(operations: &[Operation]) -> BTreeMap<InboxKey, ExpectedEntry> {
        model::inbox(&executed(operations.to_vec())).into_iter().filter(|(key, _)| key.recipient == 0).collect()
    }

    /// The groups of an inbox that holds all allowed entries.
    fn groups(expected: &BTreeMap<InboxKey, ExpectedEntry>) -> Vec<Group> {
        let mut groups: BTreeMap<GroupKey, Vec<Entry>> = BTreeMap::new();
        for (InboxKey { rule, generation, commit, .. }, entry) in expected {
            let ExpectedEntry { link, actor, committed_at, .. } = *entry;
            let (generation, commit) = (*generation, *commit);
            let key = GroupKey { rule, subject: subject(rule, &link).expect("a subject") };
            let stored = Entry { generation, commit, link, actor, committed_at, added_at: committed_at };
            groups.entry(key).or_default().push(stored);
        }
        let group = |(key, entries): (GroupKey, Vec<Entry>)| {
            let updated_at = entries.iter().map(|entry| entry.added_at).max().unwrap_or_default();
            Group { key, updated_at, entries }
        };
        groups.into_iter().map(group).collect()
    }

    /// The beginnings of the differences of these groups from those after these operations.
    fn found(operations: &[Operation], groups: &[Group]) -> Vec<String> {
        let differences = entry_differences(0, &expected(operations), groups);
        differences.iter().map(|text| text.split(':').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn missing_and_forbidden_entries_are_reported() {
        let before = [FOLLOW, PUBLISH, LIKE, OTHER_LIKE, Operation::Settle];
        let after = [&before[..], &[UNLIKE]].concat();
        let groups_before = groups(&expected(&before));
        assert_eq!(groups_before.len(), 2);
        assert_eq!(found(&before, &groups_before), [""; 0]);
        assert_eq!(found(&before, &groups_before[1..]), ["is not in the inbox"]);
        assert_eq!(found(&before, &groups(&expected(&after))), ["is not in the inbox"]);
        assert_eq!(found(&after, &groups_before), ["must not be in the inbox"]);
        let blocked = [&[Operation::Block { from: 0, to: 2 }, Operation::Settle], &before[..]].concat();
        let blocked_as_if_not = [&[Operation::Rename { person: 0, name: 1 }, Operation::Settle], &before[..]].concat();
        assert_eq!(found(&blocked, &groups(&expected(&blocked_as_if_not))), ["must not be in the inbox"]);
    }

    #[test]
    fn optional_entry_may_be_missing() {
        let open = [PUBLISH, Operation::Mute { from: 0, to: 1 }, LIKE];
        let expected = expected(&open);
        assert_eq!(expected.len(), 1);
        assert_eq!((found(&open, &groups(&expected)), found(&open, &[])), (vec![], vec![]));
    }

    #[test]
    fn repeated_wrong_and_late_entries_are_reported() {
        let rename = Operation::Rename { person: 0, name: 1 };
        let operations = [PUBLISH, LIKE, OTHER_LIKE, Operation::Settle, rename];
        let changed = |change: fn(&mut Group)| {
            let mut groups = groups(&expected(&operations));
            change(&mut groups[0]);
            found(&operations, &groups)
        };
        assert_eq!(changed(|group| group.entries.push(group.entries[1])), ["is in the inbox twice"]);
        assert_eq!(changed(|group| group.entries.reverse()), ["is not in the order of commits"]);
        assert_eq!(
            changed(|group| group.key.subject = group.entries[0].link.from),
            ["is in the group of Person(1)"; 2]
        );
        assert!(changed(|group| group.entries[0].actor = 3)[0].starts_with("is not ExpectedEntry"));
        assert_eq!(changed(|group| group.entries[0].added_at -= 1), ["was added before its commit"]);
        assert_eq!(changed(|group| group.entries[0].added_at += 3), [""; 0]);
        // As if a replay had added it.
        let late = changed(|group| group.entries[0].added_at += 4);
        assert!(late.len() == 1 && late[0].starts_with("was added again after"), "{late:?}");
    }

    #[test]
    fn wrong_lists_are_reported() {
        let operations = [FOLLOW, PUBLISH, LIKE, OTHER_LIKE];
        let graph = Graph::of(&executed(operations.to_vec()));
        let expected = model::shown(&graph, 0, &groups(&expected(&operations)), None);
        let items: Vec<_> = expected.iter().map(|(key, shown)| Item { key: *key, shown: shown.clone() }).collect();
        let found = |change: fn(&mut Vec<Item>)| {
            let mut items = items.clone();
            change(&mut items);
            let differences = list_differences(&expected, &items);
            differences.iter().map(|text| text.split(':').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(items.len(), 2);
        assert_eq!(found(|_| {}), [""; 0]);
        assert_eq!(found(|items| items.truncate(1)), ["is not shown"]);
        assert_eq!(found(|items| items.push(items[1].clone())), ["is shown twice"]);
        assert!(found(|items| items[0].shown.is_read = true)[0].starts_with("is shown as Shown"));
        let hidden = list_differences(&BTreeMap::new(), &items[..1]);
        assert!(hidden.len() == 1 && hidden[0].starts_with("must not be shown"), "{hidden:?}");
    }

    #[test]
    fn wrong_order_and_repeated_ids_are_reported() {
        let item = |id: &str, second: u8| json!({"id": id, "updatedAt": format!("2026-11-22T00:00:0{second}.000Z")});
        assert_eq!(order_differences(&[item("a", 3), item("b", 3), item("c", 1)]), [""; 0]);
        assert_eq!(order_differences(&[item("a", 1), item("b", 3)]).len(), 1);
        assert_eq!(order_differences(&[item("a", 3), item("b", 2), item("a", 1)]).len(), 1);
        assert_eq!(order_differences(&[json!({"updatedAt": "2026-11-22T00:00:00.000Z"})]).len(), 1);
    }
}
