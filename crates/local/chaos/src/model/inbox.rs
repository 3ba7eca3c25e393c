//! The required and allowed entries of inboxes at the end of a history.

mod group;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Executed,
    conditions::{Certainty, Conditions, Destination},
    event::{Event, events},
    graph::{Link, Write, writes},
};
use crate::{operation::Operation, size::PERSONS};

pub use group::{Entry, Group, GroupKey, subject};
pub use view::{Shown, shown, unread};

/// An event in the inbox of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxKey {
    /// Number of the recipient.
    pub recipient: usize,
    /// Number of fast resets before the commit.
    pub generation: u64,
    /// The commit that caused it.
    pub commit: u64,
    /// Id of the notification rule.
    pub rule: &'static str,
}

/// What an inbox may hold about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedEntry {
    /// Whether it is required.
    pub certainty: Certainty,
    /// The edge.
    pub link: Link,
    /// Number of the person who acted.
    pub actor: usize,
    /// Commit time in milliseconds since 1970.
    pub committed_at: i64,
    /// The time, in milliseconds since 1970, by which it was certainly added. No replay adds it later.
    pub added_by: Option<i64>,
}

/// All allowed entries. All others are errors.
///
/// A cooldown suppresses pushes only. A block or a mute after the entry was added hides it from readers ([`shown`]).
pub fn inbox(history: &[Executed]) -> BTreeMap<InboxKey, ExpectedEntry> {
    let conditions = Conditions::of(history);
    let events = events(history);
    let erased = erased(history);
    let mut inbox = BTreeMap::new();
    for event in events.iter().filter(|event| !erased.contains(&event.actor)) {
        let others = (0..PERSONS).filter(|recipient| *recipient != event.actor && !erased.contains(recipient));
        for recipient in others {
            let Some(added) = conditions.certainty(event, recipient, Destination::Inbox) else { continue };
            let Some(kept) = kept(history, &conditions, event, added) else { continue };
            let Some(last) = outlasts_resets(history, &events, &conditions, event, recipient) else { continue };
            let Event { generation, commit, rule, actor, committed_at, .. } = *event;
            let expected = ExpectedEntry {
                certainty: added.and(kept).and(last),
                link: event.link(),
                actor,
                committed_at,
                added_by: added_by(history, &conditions, event).filter(|_| added == Certainty::Must),
            };
            inbox.insert(InboxKey { recipient, generation, commit, rule }, expected);
        }
    }
    inbox
}

/// The persons whose accounts were erased.
pub fn erased(history: &[Executed]) -> BTreeSet<usize> {
    let person = |executed: &Executed| match executed.operation {
        Operation::Erase { person, .. } => Some(person),
        _ => None,
    };
    history.iter().filter_map(person).collect()
}

/// The time up to which a person has read, in milliseconds since 1970.
pub fn read_through(history: &[Executed], person: usize) -> Option<i64> {
    let of_person = history.iter().filter(|executed| executed.operation == Operation::ReadInbox { person });
    of_person.filter_map(|executed| executed.read_through).max()
}

/// Whether an entry is still there, as far as its own generation decides. `None` if it is not. `added` says whether it was
/// added.
fn kept(history: &[Executed], conditions: &Conditions, event: &Event, added: Certainty) -> Option<Certainty> {
    match event.reverted {
        None => Some(Certainty::Must),
        // A reset removes the graph without a change for each edge.
        Some((at, _)) if is_reset(history, at) => Some(Certainty::Must),
        // If the function fails while it adds the entries of followers, one may stay. Readers do not see it. A claim that
        // was left behind, because a condition changed, is taken up by a replay at any time.
        Some((removed_at, _)) if event.published.is_some() => {
            let was_added = added == Certainty::Must && was_processed_by(conditions, event, removed_at);
            (!was_added).then_some(Certainty::May)
        }
        Some(_) => None,
    }
}

/// Whether an entry is still there, as far as later generations decide: an edge with the same id replaces it, and its
/// removal removes it, too.
fn outlasts_resets(
    history: &[Executed],
    events: &[Event],
    conditions: &Conditions,
    event: &Event,
    recipient: usize,
) -> Option<Certainty> {
    let removal = Write::Unlink(event.link());
    let mut later = history.iter().filter(|executed| executed.generation > event.generation);
    if later.any(|executed| writes(&executed.operation).contains(&removal)) {
        return None;
    }
    let mut certainty = Certainty::Must;
    let later = events.iter().filter(|later| later.generation > event.generation && later.link() == event.link());
    for added in later.map(|later| conditions.certainty(later, recipient, Destination::Inbox)) {
        match added {
            Some(Certainty::Must) => return None,
            Some(Certainty::May) => certainty = Certainty::May,
            None => {}
        }
    }
    Some(certainty)
}

/// Whether no function adds an entry of the event at index `at` or later, unless a hidden story becomes visible.
fn was_processed_by(conditions: &Conditions, event: &Event, at: usize) -> bool {
    let windows = conditions.windows(event).all;
    windows.iter().filter(|window| window.from < at).all(|window| window.to <= at)
}

/// The time of the first operation after the event was decided.
fn added_by(history: &[Executed], conditions: &Conditions, event: &Event) -> Option<i64> {
    let windows = conditions.windows(event);
    let decided_at = windows.all.last().filter(|_| windows.is_final)?.to;
    let later = history.iter().skip(decided_at).skip(1);
    later.filter_map(|executed| executed.committed_at.or(executed.read_through)).next()
}

fn is_reset(history: &[Executed], at: usize) -> bool {
    history.get(at).is_some_and(|executed| executed.operation == Operation::Reset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{generator::history, model::testing::executed, size::Size};
    use Certainty::{May, Must};
    use Operation::{Reset, Settle};

    const FOLLOW: Operation = Operation::Follow { from: 1, to: 0 };
    const UNFOLLOW: Operation = Operation::Unfollow { from: 1, to: 0 };
    const PUBLISH: Operation = Operation::PublishStory { author: 0, story: 0 };
    const UNPUBLISH: Operation = Operation::UnpublishStory { author: 0, story: 0 };
    const REMOVE: Operation = Operation::RemoveStory { story: 0 };
    const LIKE: Operation = Operation::Like { from: 1, story: 0 };
    const UNLIKE: Operation = Operation::Unlike { from: 1, story: 0 };
    const BLOCK: Operation = Operation::Block { from: 0, to: 1 };

    /// The entries after a history: rule, recipient and certainty.
    fn entries(operations: &[Operation]) -> Vec<(&'static str, usize, Certainty)> {
        let inbox = inbox(&executed(operations.to_vec()));
        inbox.iter().map(|(key, entry)| (key.rule, key.recipient, entry.certainty)).collect()
    }

    #[test]
    fn owner_and_followers_have_entries_without_a_phone() {
        let reply = Operation::Reply { from: 2, story: 0, comment: 1 };
        let expected = [("follow", 0, Must), ("like-story", 0, Must), ("reply-story", 0, Must), ("story", 1, Must)];
        assert_eq!(entries(&[FOLLOW, PUBLISH, LIKE, reply]), expected);
        assert_eq!(entries(&[PUBLISH, Operation::Like { from: 0, story: 0 }]), [], "own action");
        assert_eq!(entries(&[PUBLISH, FOLLOW]), [("follow", 0, Must)], "followed later");
    }

    #[test]
    fn each_event_of_a_cooldown_has_its_entry() {
        assert_eq!(entries(&[PUBLISH, LIKE, Settle, UNLIKE, LIKE]), [("like-story", 0, Must)]);
        assert_eq!(entries(&[PUBLISH, LIKE, UNLIKE, LIKE, UNLIKE, LIKE]), [("like-story", 0, Must)]);
        let keys: Vec<_> = inbox(&executed(vec![PUBLISH, LIKE, UNLIKE, LIKE])).into_keys().collect();
        assert_eq!(keys.iter().map(|key| key.commit).collect::<Vec<_>>(), [4], "that of the edge that stays");
        // The first was blocked, which the ledger holds for the pushes of both.
        let blocked = [PUBLISH, BLOCK, Settle, LIKE, Settle, Operation::Unblock { from: 0, to: 1 }, Settle];
        assert_eq!(entries(&[&blocked[..], &[UNLIKE, LIKE]].concat()), [("like-story", 0, Must)]);
    }

    #[test]
    fn removed_edge_has_no_entry() {
        assert_eq!(entries(&[PUBLISH, LIKE, UNLIKE]), []);
        assert_eq!(entries(&[PUBLISH, LIKE, Settle, UNLIKE]), []);
        assert_eq!(entries(&[FOLLOW, Settle, UNFOLLOW]), []);
        let reply = Operation::Reply { from: 1, story: 0, comment: 1 };
        assert_eq!(entries(&[PUBLISH, LIKE, reply, Settle, REMOVE]), []);
    }

    #[test]
    fn reaction_to_an_unpublished_story_stays_if_it_was_decided() {
        assert_eq!(entries(&[PUBLISH, LIKE, Settle, UNPUBLISH]), [("like-story", 0, Must)]);
        assert_eq!(entries(&[PUBLISH, UNPUBLISH, LIKE]), [("like-story", 0, May)]);
        assert_eq!(entries(&[PUBLISH, UNPUBLISH, Settle, LIKE]), []);
    }

    #[test]
    fn withdrawn_story_stays_only_if_it_is_removed_while_it_is_announced() {
        for withdraw in [UNPUBLISH, REMOVE] {
            let story = |between: &[Operation]| {
                let all = [&[FOLLOW, PUBLISH], between, std::slice::from_ref(&withdraw)].concat();
                entries(&all).into_iter().find(|(rule, ..)| *rule == "story")
            };
            assert_eq!(story(&[Settle]), None);
            assert_eq!(story(&[]), Some(("story", 1, May)));
            let show = |visibility| Operation::SetVisibility { story: 0, visibility: Some(visibility) };
            // It may have been seen at first, and its followers claimed.
            assert_eq!(story(&[show("private"), Settle]), Some(("story", 1, May)));
            assert_eq!(story(&[show("private"), Settle, show("public")]), Some(("story", 1, May)));
            assert_eq!(story(&[show("private"), Settle, show("public"), Settle]), None);
        }
    }

    #[test]
    fn blocked_muted_and_unwanted_events_have_no_entry() {
        let other_block = Operation::Block { from: 1, to: 0 };
        let mute = Operation::Mute { from: 0, to: 1 };
        for hidden in [BLOCK, other_block, mute] {
            assert_eq!(entries(&[PUBLISH, hidden.clone(), Settle, LIKE]), [], "{hidden}");
            assert_eq!(entries(&[PUBLISH, hidden.clone(), LIKE]), [("like-story", 0, May)], "{hidden}");
            assert_eq!(entries(&[PUBLISH, LIKE, Settle, hidden.clone()]), [("like-story", 0, Must)], "{hidden}");
        }
        let mute_of_actor = Operation::Mute { from: 1, to: 0 };
        assert_eq!(entries(&[PUBLISH, mute_of_actor, Settle, LIKE]), [("like-story", 0, Must)]);
        let without_likes = Operation::SetPreferences { person: 0, muted: vec!["likes"] };
        assert_eq!(entries(&[PUBLISH, without_likes.clone(), LIKE]), []);
        assert_eq!(entries(&[PUBLISH, LIKE, without_likes]), [("like-story", 0, May)]);
    }

    #[test]
    fn entries_outlast_a_reset_until_their_edge_is_added_or_removed_again() {
        let before = [FOLLOW, PUBLISH, LIKE, Settle, Reset];
        let after = |rest: &[Operation]| entries(&[&before, rest].concat());
        let others = [("like-story", 0, Must), ("story", 1, Must)];
        assert_eq!(after(&[]), [&[("follow", 0, Must)], &others[..]].concat());
        let again = inbox(&executed([&before[..], &[FOLLOW]].concat()));
        let follows: Vec<_> = again.keys().filter(|key| key.rule == "follow").map(|key| key.generation).collect();
        assert_eq!(follows, [1], "the new one replaces the old one");
        assert_eq!(after(&[FOLLOW, UNFOLLOW]), others);
        assert_eq!(after(&[BLOCK, Settle, FOLLOW]), [&[("follow", 0, Must)], &others[..]].concat());
        let uncertain = after(&[BLOCK, FOLLOW]);
        assert_eq!(uncertain.iter().filter(|(rule, ..)| *rule == "follow").count(), 2);
        assert!(uncertain.iter().all(|(rule, _, certainty)| (*rule == "follow") == (*certainty == May)));
    }

    #[test]
    fn entry_is_added_before_the_next_operation_after_it_was_decided() {
        let added_by = |operations: &[Operation]| {
            let history = executed(operations.to_vec());
            let entry = inbox(&history).into_values().next().expect("an entry");
            entry.added_by.map(|time| history.iter().position(|executed| executed.committed_at == Some(time)))
        };
        let rename = Operation::Rename { person: 2, name: 1 };
        assert_eq!(added_by(&[FOLLOW, rename.clone(), Settle, rename.clone(), rename.clone()]), Some(Some(3)));
        assert_eq!(added_by(&[FOLLOW, Settle]), None);
        assert_eq!(added_by(&[FOLLOW, rename]), None);
    }

    #[test]
    fn erased_person_is_in_no_inbox_and_has_none() {
        let like = |from| Operation::Like { from, story: 0 };
        let erase = |person| Operation::Erase { person, stories: vec![], comments: vec![] };
        let after = |person, between: &[Operation]| {
            let all = [&[FOLLOW, PUBLISH, like(1), like(2), Settle], between, &[erase(person)]].concat();
            entries(&all)
        };
        let of_author = [("follow", 0, Must), ("like-story", 0, Must), ("like-story", 0, Must)];
        for between in [&[][..], &[Reset]] {
            assert_eq!(after(0, between), []);
            assert_eq!(after(1, between), [("like-story", 0, Must)]);
            assert_eq!(after(2, between), [&of_author[..2], &[("story", 1, Must)]].concat());
        }
    }

    #[test]
    fn last_read_mark_counts() {
        let mut history = executed([0, 1, 0].map(|person| Operation::ReadInbox { person }).to_vec());
        history.iter_mut().zip([5, 6, 7]).for_each(|(executed, time)| executed.read_through = Some(time));
        assert_eq!([0, 1, 2].map(|person| read_through(&history, person)), [Some(7), Some(6), None]);
    }

    proptest! {
        #[test]
        fn settling_after_every_operation_leaves_no_optional_entry(seed in any::<u64>()) {
            let size = Size { operations: 120, photographs: 1, restarts: 0, search_restarts: 0, resets: 1 };
            let often = || history(seed, size).into_iter().flat_map(Operation::into_single).flat_map(|one| [one, Settle]);
            let certain = inbox(&executed(often().collect()));
            prop_assert!(certain.values().all(|entry| entry.certainty == Must));
            let mut never = executed(often().collect());
            never.iter_mut().for_each(|executed| executed.settled = false);
            let open = inbox(&never);
            prop_assert!(certain.keys().all(|key| open.contains_key(key)));
            prop_assert!(open.iter().all(|(key, entry)| entry.certainty == May || certain.contains_key(key)));
        }
    }
}
