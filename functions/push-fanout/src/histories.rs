//! One story that is shown and hidden: whatever comes first, second and again, nobody is told while it is
//! hidden, nobody twice, and nobody is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use domain::graph::{Change, ChangeKind};
use proptest::{prelude::*, sample::Index};

use crate::town::{Town, add, come, remove, show};

const FANS: [&str; 5] = ["fan1", "fan2", "fan3", "fan4", "fan5"];
/// What can be said of who sees it; nothing is that it was removed.
const SAID: [Option<&str>; 5] = [Some("public"), Some("followers"), Some("private"), Some("friends"), None];

/// What the graph did, in its order, and how it is delivered.
#[derive(Debug, Clone)]
struct History {
    changes: Vec<Change>,
    /// Places in `changes`: each at least once, in batches. After a batch the function may get what it
    /// has handed on to itself, or not yet.
    deliveries: Vec<(Vec<usize>, bool)>,
}

fn history() -> impl Strategy<Value = History> {
    let said = || prop::sample::select(&SAID[..]);
    let changes =
        (prop::option::of(said()), prop::collection::vec(said(), 0..4), any::<[Index; 3]>(), prop::bool::weighted(0.2))
            .prop_map(|(first, later, [told, mentioned, gone], is_removed)| {
                let mut news: Vec<Box<dyn Fn(u64) -> Change>> = vec![Box::new(move |at| match first {
                    Some(said @ Some(_)) => come(at, "s1", said),
                    _ => come(at, "s1", None),
                })];
                for said in later {
                    news.push(Box::new(move |at| show(at, "s1", said)));
                }
                let told = 1 + told.index(news.len());
                news.insert(told, Box::new(|at| add(at, "told", "mina", "s1")));
                news.insert(1 + mentioned.index(news.len()), Box::new(|at| add(at, "mentions", "s1", "sora")));
                if is_removed {
                    let told = told + 2;
                    let gone = told.min(news.len()) + gone.index(news.len() + 1 - told.min(news.len()));
                    news.insert(gone, Box::new(|at| remove(at, "told", "mina", "s1")));
                }
                let follows = FANS.into_iter().zip(1..).map(|(fan, at)| add(at, "follows", fan, "mina"));
                follows.chain(news.into_iter().zip(10..).map(|(change, at)| change(at))).collect::<Vec<_>>()
            });
    changes.prop_flat_map(|changes| {
        let places = (0..changes.len()).collect::<Vec<_>>();
        let twice = [places.clone(), places].concat();
        let deliveries = (Just(twice).prop_shuffle(), prop::collection::vec((1..4_usize, any::<bool>()), 40));
        deliveries.prop_map(move |(order, sizes)| {
            let (mut rest, mut deliveries) = (order.as_slice(), Vec::new());
            for (size, is_drained) in sizes {
                let (batch, others) = rest.split_at(size.min(rest.len()));
                deliveries.push((batch.to_vec(), is_drained));
                rest = others;
            }
            History { changes: changes.clone(), deliveries }
        })
    })
}

/// What the graph says by the changes that came so far: who sees the story, if that is known, and whether
/// somebody tells it.
fn known(changes: &BTreeMap<usize, &Change>) -> (Option<&'static str>, bool) {
    let (mut seen, mut is_added, mut is_told) = (None, false, false);
    for change in changes.values() {
        is_added |= change.entity_id == "s1" && change.change_kind == ChangeKind::Added;
        if let Some(property) = change.properties.get("visibility") {
            let said = property.after.first().and_then(|value| value.as_str());
            let visible = ["public", "followers"].into_iter().find(|visibility| Some(*visibility) == said);
            seen = Some(visible.unwrap_or("private"));
        }
        if change.entity_id.starts_with("told") {
            is_told = change.change_kind == ChangeKind::Added;
        }
    }
    (seen.or(is_added.then_some("public")), is_told)
}

async fn plays(history: &History) -> Result<(), TestCaseError> {
    let town = Town::of(&FANS);
    town.gets_phone("sora", "phone");
    town.page.set(2);
    let mut came = BTreeMap::new();
    for (batch, is_drained) in &history.deliveries {
        came.extend(batch.iter().map(|place| (*place, &history.changes[*place])));
        let before = town.told().len();
        let changes: Vec<_> = batch.iter().map(|place| history.changes[*place].clone()).collect();
        let failures = if *is_drained {
            town.deliver(&changes).await
        } else {
            town.batch(&changes.iter().map(|change| change.to_cloud_event("main")).collect::<Vec<_>>()).await
        };
        prop_assert_eq!(failures, []);
        let pushes = town.pushes.borrow().iter().skip(before).map(|push| push.to_by()).collect::<Vec<_>>();
        let (seen, is_told) = known(&came);
        for (person, rule) in pushes {
            prop_assert!(seen.is_some_and(|seen| seen != "private"), "{person} was told of a hidden story");
            match rule.as_str() {
                "story" => prop_assert!(is_told && FANS.contains(&person.as_str())),
                "mention-story" => prop_assert!(person == "sora" && seen == Some("public")),
                other => prop_assert!(false, "{other}"),
            }
        }
    }
    prop_assert_eq!(came.len(), history.changes.len());
    prop_assert_eq!(town.deliver(&[]).await, []);

    let told = town.told();
    prop_assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), told.len(), "nobody twice");
    let (seen, is_told) = known(&came);
    if is_told && seen.is_some_and(|seen| seen != "private") {
        let fans = told.iter().filter(|(_, rule)| rule == "story").count();
        prop_assert_eq!(fans, FANS.len());
        if seen == Some("public") {
            prop_assert!(told.contains(&("sora".to_owned(), "mention-story".to_owned())));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_story_is_told_to_whom_it_is_shown_and_to_each_once(history in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(plays(&history))?;
    }
}
