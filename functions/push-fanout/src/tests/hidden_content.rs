//! Users who hide the content: no name and no title in what is sent to their phones.

use std::collections::BTreeSet;

use domain::{
    graph::Change,
    push::{Preferences, rules},
};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::Value;

use super::{
    changes::{add_edge, add_story, set_property},
    in_memory_backend::InMemoryBackend,
};

/// Changes that notify by every rule.
fn changes(texts: &[String]) -> Vec<Change> {
    let texts = (1..).zip(["mina", "jun", "sora", "s1", "s2", "c1", "c2"]).zip(texts);
    let mut changes: Vec<_> = texts
        .flat_map(|((commit_num, vertex), text)| {
            ["name", "title"].map(|property| set_property(commit_num, vertex, property, text))
        })
        .collect();
    changes.extend([
        add_edge(10, "follows", "jun", "mina"),
        add_story(11, "s1", None),
        add_edge(12, "told", "mina", "s1"),
        add_edge(13, "likes", "jun", "s1"),
        add_edge(14, "wrote", "jun", "c1"),
        add_edge(15, "replies_to", "c1", "s1"),
        add_edge(16, "likes", "mina", "c1"),
        add_edge(17, "wrote", "mina", "c2"),
        add_edge(18, "replies_to", "c2", "c1"),
        add_edge(19, "mentions", "c1", "sora"),
        add_edge(20, "mentions", "s1", "sora"),
    ]);
    changes
}

/// All texts in a value, keys included.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| [vec![key.as_str()], texts(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

async fn check(names: &[String], order: Vec<usize>) -> Result<(), TestCaseError> {
    let backend = InMemoryBackend::with_users(&["mina", "jun", "sora"]);
    for user in ["mina", "jun", "sora"] {
        backend.set_preferences(user, Preferences { hide_content: true, ..Preferences::default() });
    }
    let changes = changes(names);
    for change in order.into_iter().map(|at| &changes[at]) {
        prop_assert_eq!(backend.deliver(std::slice::from_ref(change)).await, []);
    }
    let pushes = backend.pushes.borrow();
    let mut seen = BTreeSet::new();
    for push in pushes.iter() {
        let (user, rule) = push.user_and_rule();
        seen.insert(rule.clone());
        let texts = texts(&push.message);
        // A truncated text would start like the whole.
        let start = |name: &String| name.chars().take(2).collect::<String>();
        let found = names.iter().find(|name| texts.iter().any(|text| text.contains(&start(name))));
        prop_assert_eq!(found, None, "{} to {}", rule, user);
        let key = |part: &str| format!("push_{}_{part}", rule.replace('-', "_"));
        let notification = &push.message["android"]["notification"];
        prop_assert_eq!(&notification["title_loc_key"], &key("title"));
        prop_assert_eq!(&notification["body_loc_key"], &key("body"));
        prop_assert!(push.message["data"]["source"].is_string(), "ids stay");
    }
    // Not only rules about edges.
    let of_edges = rules::all().iter().filter(|rule| rules::for_label(&rule.when.edge).next().is_some());
    prop_assert_eq!(seen.len(), of_edges.count(), "each rule notifies");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_name_and_no_title_reaches_the_phone_of_a_user_who_hides_the_content(
        // No character of a key or an id.
        names in prop::collection::vec("[가-힣ㄱ-ㅎ一-龥🙂\"{}]{2,500}", 7),
        order in Just((0..25_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(check(&names, order))?;
    }
}
