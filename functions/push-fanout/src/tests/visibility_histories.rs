//! Random histories of one story that is shown and hidden, delivered in any order and more than once. Invariants: no
//! notification while the story is hidden, no recipient twice, and no recipient missing in the end.

use std::collections::{BTreeMap, BTreeSet};

use domain::graph::{Change, ChangeKind};
use proptest::{prelude::*, sample::Index};

use super::{
    changes::{add_edge, add_story, remove_edge, set_visibility},
    in_memory_backend::InMemoryBackend,
};

const FANS: [&str; 5] = ["fan1", "fan2", "fan3", "fan4", "fan5"];
/// Values of the property; `None` removes it.
const VISIBILITIES: [Option<&str>; 5] = [Some("public"), Some("followers"), Some("private"), Some("friends"), None];

/// Changes in the order of their commits, and how they are delivered.
#[derive(Debug, Clone)]
struct History {
    changes: Vec<Change>,
    /// Batches of indexes into `changes`, each at least once, and whether the continuations are delivered after the
    /// batch.
    deliveries: Vec<(Vec<usize>, bool)>,
}

fn history() -> impl Strategy<Value = History> {
    let visibility = || prop::sample::select(&VISIBILITIES[..]);
    let indexes = any::<[Index; 3]>();
    let parts =
        (prop::option::of(visibility()), prop::collection::vec(visibility(), 0..4), indexes, prop::bool::weighted(0.2));
    let changes = parts.prop_map(|(first, later, [told, mentioned, removed], is_removed)| {
        let mut story: Vec<Box<dyn Fn(u64) -> Change>> =
            vec![Box::new(move |commit_num| add_story(commit_num, "s1", first.flatten()))];
        for visibility in later {
            story.push(Box::new(move |commit_num| set_visibility(commit_num, "s1", visibility)));
        }
        let told = 1 + told.index(story.len());
        story.insert(told, Box::new(|commit_num| add_edge(commit_num, "told", "mina", "s1")));
        let mentioned = 1 + mentioned.index(story.len());
        story.insert(mentioned, Box::new(|commit_num| add_edge(commit_num, "mentions", "s1", "sora")));
        if is_removed {
            // After the edge `told`, which the mention may have moved by one.
            let earliest = (told + 2).min(story.len());
            let removed = earliest + removed.index(story.len() + 1 - earliest);
            story.insert(removed, Box::new(|commit_num| remove_edge(commit_num, "told", "mina", "s1")));
        }
        let follows = FANS.into_iter().zip(1..).map(|(fan, commit_num)| add_edge(commit_num, "follows", fan, "mina"));
        follows.chain(story.into_iter().zip(10..).map(|(change, commit_num)| change(commit_num))).collect::<Vec<_>>()
    });
    changes.prop_flat_map(|changes| {
        let indexes = (0..changes.len()).collect::<Vec<_>>();
        let twice = [indexes.clone(), indexes].concat();
        let deliveries = (Just(twice).prop_shuffle(), prop::collection::vec((1..4_usize, any::<bool>()), 40));
        deliveries.prop_map(move |(order, batches)| {
            let (mut rest, mut deliveries) = (order.as_slice(), Vec::new());
            for (size, is_drained) in batches {
                let (batch, others) = rest.split_at(size.min(rest.len()));
                deliveries.push((batch.to_vec(), is_drained));
                rest = others;
            }
            History { changes: changes.clone(), deliveries }
        })
    })
}

/// Expected visibility, if it is known, and whether the edge `told` exists, by the changes delivered so far.
fn expected_state(changes: &BTreeMap<usize, &Change>) -> (Option<&'static str>, bool) {
    let (mut visibility, mut is_added, mut has_author) = (None, false, false);
    for change in changes.values() {
        is_added |= change.entity_id == "s1" && change.change_kind == ChangeKind::Added;
        if let Some(property) = change.properties.get("visibility") {
            let value = property.after.first().and_then(|value| value.as_str());
            let known = ["public", "followers"].into_iter().find(|known| Some(*known) == value);
            visibility = Some(known.unwrap_or("private"));
        }
        if change.entity_id.starts_with("told") {
            has_author = change.change_kind == ChangeKind::Added;
        }
    }
    (visibility.or(is_added.then_some("public")), has_author)
}

async fn check(history: &History) -> Result<(), TestCaseError> {
    let backend = InMemoryBackend::with_users(&FANS);
    backend.add_device("sora", "phone");
    backend.page_size.set(2);
    let mut delivered = BTreeMap::new();
    for (batch, is_drained) in &history.deliveries {
        delivered.extend(batch.iter().map(|index| (*index, &history.changes[*index])));
        let before = backend.sent().len();
        let changes: Vec<_> = batch.iter().map(|index| history.changes[*index].clone()).collect();
        let failures =
            if *is_drained { backend.deliver(&changes).await } else { backend.deliver_changes(&changes).await };
        prop_assert_eq!(failures, []);
        let new = backend.pushes.borrow().iter().skip(before).map(|push| push.user_and_rule()).collect::<Vec<_>>();
        let (visibility, has_author) = expected_state(&delivered);
        for (user, rule) in new {
            prop_assert!(visibility.is_some_and(|visibility| visibility != "private"), "hidden story sent to {user}");
            match rule.as_str() {
                "story" => prop_assert!(has_author && FANS.contains(&user.as_str())),
                "mention-story" => prop_assert!(user == "sora" && visibility == Some("public")),
                other => prop_assert!(false, "{other}"),
            }
        }
    }
    prop_assert_eq!(delivered.len(), history.changes.len());
    prop_assert_eq!(backend.deliver(&[]).await, []);

    let sent = backend.sent();
    prop_assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), sent.len(), "each recipient once");
    let (visibility, has_author) = expected_state(&delivered);
    if has_author && visibility.is_some_and(|visibility| visibility != "private") {
        let fans = sent.iter().filter(|(_, rule)| rule == "story").count();
        prop_assert_eq!(fans, FANS.len());
        if visibility == Some("public") {
            prop_assert!(sent.contains(&("sora".to_owned(), "mention-story".to_owned())));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_delivery_order_notifies_each_recipient_once_while_story_is_visible(history in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(check(&history))?;
    }
}
