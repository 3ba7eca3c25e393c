//! The required and allowed notifications.

use std::collections::BTreeMap;

use super::{
    Executed,
    conditions::{Certainty, Conditions, Destination},
    cooldown::{Standing, standing},
    event::{Event, events},
};
use crate::size::PERSONS;

/// A notification on a phone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedNotification {
    /// Number of fast resets before the commit.
    pub generation: u64,
    /// The commit that caused it.
    pub commit: u64,
    /// Id of the notification rule.
    pub rule: &'static str,
    /// Number of the phone.
    pub phone: usize,
}

/// All allowed notifications. All others are errors.
pub fn expected(history: &[Executed]) -> BTreeMap<ExpectedNotification, Certainty> {
    let conditions = Conditions::of(history);
    let mut expected = BTreeMap::new();
    let events = events(history);
    for event in &events {
        let (standing, others) = standing(event, &events, |event| conditions.is_claimed(event));
        for recipient in (0..PERSONS).filter(|recipient| *recipient != event.actor) {
            let is_decided = match &standing {
                Standing::After(before) => {
                    before.iter().any(|other| conditions.decides(other, recipient) == Some(true))
                }
                Standing::Free | Standing::Unknown => false,
            };
            let may_be_decided = others.iter().any(|other| conditions.decides(other, recipient).is_some());
            for phone in (0..PERSONS).filter(|_| !is_decided) {
                let Some(certainty) = conditions.certainty(event, recipient, Destination::Phone(phone)) else {
                    continue;
                };
                expected.insert(event.on(phone), if may_be_decided { Certainty::May } else { certainty });
            }
        }
    }
    expected
}

/// Sets of notifications of which at least one is required: their events may suppress each other.
pub fn alternatives(history: &[Executed]) -> Vec<Vec<ExpectedNotification>> {
    let conditions = Conditions::of(history);
    let events = events(history);
    let mut alternatives = Vec::new();
    for event in &events {
        let (Standing::Unknown | Standing::After(_), others) =
            standing(event, &events, |event| conditions.is_claimed(event))
        else {
            continue;
        };
        for recipient in (0..PERSONS).filter(|recipient| *recipient != event.actor) {
            for phone in 0..PERSONS {
                let is_certain = |event: &Event| {
                    conditions.certainty(event, recipient, Destination::Phone(phone)) == Some(Certainty::Must)
                };
                let is_pushed = |other: &&Event| is_certain(&as_if_it_stayed(other));
                if is_certain(event) && others.iter().all(is_pushed) {
                    alternatives.push(std::iter::once(&event).chain(&others).map(|event| event.on(phone)).collect());
                }
            }
        }
    }
    alternatives
}

/// The event without its reversal: one that was sent was not reverted then.
fn as_if_it_stayed(event: &Event) -> Event {
    Event { reverted: None, ..event.clone() }
}

impl Event {
    /// Its notification on a phone.
    fn on(&self, phone: usize) -> ExpectedNotification {
        let Self { generation, commit, rule, .. } = *self;
        ExpectedNotification { generation, commit, rule, phone }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{generator::history, model::testing::executed, operation::Operation, size::Size};

    fn both_signed_in() -> Vec<Operation> {
        (0..2).map(|person| Operation::SignIn { person, phone: person }).collect()
    }

    /// The expected notifications after both persons have signed in: rule, phone and certainty.
    fn after_sign_in(rest: Vec<Operation>) -> Vec<(&'static str, usize, Certainty)> {
        let history = executed(both_signed_in().into_iter().chain(rest).collect());
        expected(&history)
            .into_iter()
            .map(|(notification_key, certainty)| (notification_key.rule, notification_key.phone, certainty))
            .collect()
    }

    const FOLLOW: Operation = Operation::Follow { from: 1, to: 0 };
    const PUBLISH: Operation = Operation::PublishStory { author: 0, story: 0 };
    const LIKE: Operation = Operation::Like { from: 1, story: 0 };
    use Certainty::{May, Must};
    use Operation::Settle;

    #[test]
    fn owner_and_followers_are_notified() {
        assert_eq!(
            after_sign_in(vec![FOLLOW, PUBLISH, LIKE]),
            [("follow", 0, Must), ("story", 1, Must), ("like-story", 0, Must)]
        );
        assert_eq!(after_sign_in(vec![PUBLISH, FOLLOW]), [("follow", 0, Must)], "a later follower is not notified");
        assert_eq!(after_sign_in(vec![PUBLISH, Operation::Like { from: 0, story: 0 }]), [], "own action");
    }

    #[test]
    fn quickly_reverted_action_is_optional() {
        let unlike = Operation::Unlike { from: 1, story: 0 };
        assert_eq!(after_sign_in(vec![PUBLISH, LIKE, unlike.clone()]), [("like-story", 0, May)]);
        assert_eq!(after_sign_in(vec![PUBLISH, LIKE, Settle, unlike]), [("like-story", 0, Must)]);
    }

    #[test]
    fn toggled_like_is_notified_once() {
        let unlike = Operation::Unlike { from: 1, story: 0 };
        let certain = [PUBLISH, LIKE, Settle, unlike.clone(), LIKE, Settle, unlike.clone(), LIKE];
        assert_eq!(after_sign_in(certain.to_vec()), [("like-story", 0, Must)]);
        // The first may be removed before it is processed.
        let quick = [PUBLISH, LIKE, unlike.clone(), LIKE];
        assert_eq!(after_sign_in(quick.to_vec()), [("like-story", 0, May), ("like-story", 0, May)]);
        let history = executed(both_signed_in().into_iter().chain(quick.clone()).collect());
        let commits: Vec<Vec<_>> =
            alternatives(&history).iter().map(|one_of| one_of.iter().map(|one| one.commit).collect()).collect();
        assert_eq!(commits, [[6, 4]], "one of them");
        let third = [&quick[..], &[Settle, unlike.clone(), LIKE]].concat();
        assert_eq!(after_sign_in(third), [("like-story", 0, May), ("like-story", 0, May)]);
        // Another person, another story.
        let other = [Operation::PublishStory { author: 0, story: 1 }, Operation::Like { from: 1, story: 1 }];
        let both = after_sign_in([&certain[..], &other].concat());
        assert_eq!(both, [("like-story", 0, Must), ("like-story", 0, Must)]);
        let replies = [1, 2].map(|comment| Operation::Reply { from: 1, story: 0, comment });
        let replies = after_sign_in([&[PUBLISH], &replies[..]].concat());
        assert_eq!(replies, [("reply-story", 0, Must), ("reply-story", 0, Must)]);
        // A blocked person's like is decided, too.
        let block = [Operation::Block { from: 0, to: 1 }, Settle, LIKE, Settle, Operation::Unblock { from: 0, to: 1 }];
        let unblocked = [&[PUBLISH], &block[..], &[Settle, unlike, Settle, LIKE]].concat();
        assert_eq!(after_sign_in(unblocked), []);
    }

    #[test]
    fn block_is_effective_once_processed() {
        let block = Operation::Block { from: 0, to: 1 };
        assert_eq!(after_sign_in(vec![PUBLISH, block.clone(), LIKE]), [("like-story", 0, May)]);
        assert_eq!(after_sign_in(vec![PUBLISH, block.clone(), Settle, LIKE]), []);
        assert_eq!(after_sign_in(vec![PUBLISH, LIKE, Settle, block]), [("like-story", 0, Must)]);
    }

    #[test]
    fn sign_out_is_effective_immediately() {
        let out = Operation::SignOut { person: 0 };
        assert_eq!(after_sign_in(vec![PUBLISH, out.clone(), LIKE]), []);
        assert_eq!(after_sign_in(vec![PUBLISH, LIKE, out]), [("like-story", 0, May)]);
        // Person 1 signs in on the phone of person 0.
        let moved = Operation::SignIn { person: 1, phone: 0 };
        assert_eq!(after_sign_in(vec![PUBLISH, moved.clone(), LIKE]), []);
        assert_eq!(after_sign_in(vec![FOLLOW, Settle, moved, PUBLISH]), [("follow", 0, Must), ("story", 0, Must)]);
    }

    #[test]
    fn reaction_to_an_unpublished_story_is_not_notified() {
        let untell = Operation::UnpublishStory { author: 0, story: 0 };
        assert_eq!(after_sign_in(vec![PUBLISH, untell.clone(), LIKE]), [("like-story", 0, May)]);
        assert_eq!(after_sign_in(vec![PUBLISH, Settle, untell.clone(), Settle, LIKE]), []);
        assert_eq!(after_sign_in(vec![PUBLISH, LIKE, Settle, untell.clone()]), [("like-story", 0, Must)]);
        assert_eq!(after_sign_in(vec![FOLLOW, PUBLISH, untell]), [("follow", 0, Must), ("story", 1, May)]);
    }

    #[test]
    fn removal_of_a_story_makes_its_pending_notifications_optional() {
        let remove = Operation::RemoveStory { story: 0 };
        let reply = Operation::Reply { from: 1, story: 0, comment: 1 };
        let open = [("follow", 0, Must), ("story", 1, May), ("like-story", 0, May), ("reply-story", 0, May)];
        assert_eq!(after_sign_in(vec![FOLLOW, PUBLISH, LIKE, reply.clone(), remove.clone()]), open);
        let certain = open.map(|(rule, phone, _)| (rule, phone, Must));
        assert_eq!(after_sign_in(vec![FOLLOW, PUBLISH, LIKE, reply, Settle, remove]), certain);
    }

    fn shown(visibility: Option<&'static str>) -> Operation {
        Operation::SetVisibility { story: 0, visibility }
    }

    /// The certainty of the notification about the published story.
    fn certainty_of_story(rest: Vec<Operation>) -> Option<Certainty> {
        let expected = after_sign_in([FOLLOW, Settle, PUBLISH].into_iter().chain(rest).collect());
        expected.iter().find(|(rule, ..)| *rule == "story").map(|(.., certainty)| *certainty)
    }

    #[test]
    fn hidden_story_is_notified_when_it_becomes_visible() {
        for hidden in [Some("private"), None] {
            let hide = || [shown(Some("followers")), shown(hidden)];
            assert_eq!(certainty_of_story(hide().to_vec()), Some(May), "it was visible at first");
            assert_eq!(certainty_of_story([hide().as_slice(), &[Settle]].concat()), Some(May));
            for open in ["public", "followers"] {
                let reopened = [hide().as_slice(), &[shown(Some(open))]].concat();
                assert_eq!(certainty_of_story(reopened), Some(Must), "at the latest when it is visible");
            }
        }
        assert_eq!(certainty_of_story(vec![Settle, shown(Some("private"))]), Some(Must));
    }

    #[test]
    fn changes_while_a_story_is_hidden_are_effective() {
        let hide = [shown(Some("private")), Settle];
        let after = |rest: &[Operation]| certainty_of_story([&hide, rest].concat());
        let show = || shown(Some("public"));
        let unfollow = Operation::Unfollow { from: 1, to: 0 };
        // The notification may have been sent in the beginning.
        assert_eq!(after(&[unfollow.clone(), Settle, show()]), Some(May));
        assert_eq!(after(&[show(), Settle, unfollow]), Some(Must));
        let untell = Operation::UnpublishStory { author: 0, story: 0 };
        assert_eq!(after(&[untell, Settle, show()]), Some(May));
        // A recipient who had muted the category in the beginning may not be notified later.
        let set_preferences = |muted: &[&'static str]| Operation::SetPreferences { person: 1, muted: muted.to_vec() };
        let rest = [PUBLISH, hide[0].clone(), Settle, set_preferences(&[]), show()];
        let expected = after_sign_in([[FOLLOW, set_preferences(&["stories"]), Settle].as_slice(), &rest].concat());
        assert_eq!(expected, [("follow", 0, Must), ("story", 1, May)]);
    }

    #[test]
    fn reset_voids_the_facts_of_the_graph_and_no_sign_in() {
        let like = |story| Operation::Like { from: 1, story };
        let publish = |story| Operation::PublishStory { author: 0, story };
        let block = Operation::Block { from: 0, to: 1 };
        let before = [FOLLOW, publish(0), Settle, block, Settle, Operation::Reset];
        let after = |rest: &[Operation]| after_sign_in([&before[..], rest].concat());
        let old = [("follow", 0, Must), ("story", 1, Must)];
        assert_eq!(after(&[]), old);
        // Not a follower any more, and not blocked.
        assert_eq!(after(&[publish(1), like(1)])[2..], [("like-story", 0, Must)]);
        assert_eq!(after(&[FOLLOW, publish(1)])[2..], [("follow", 0, Must), ("story", 1, Must)]);
    }

    #[test]
    fn author_of_a_private_story_is_notified_of_reactions() {
        assert_eq!(
            after_sign_in(vec![PUBLISH, Settle, shown(Some("private")), Settle, LIKE]),
            [("like-story", 0, Must)]
        );
    }

    proptest! {
        #[test]
        fn settling_after_every_operation_leaves_no_optional_notification(seed in any::<u64>()) {
            let size = Size { operations: 120, photographs: 1, restarts: 0, search_restarts: 0, resets: 1 };
            let often: Vec<_> = history(seed, size).into_iter().flat_map(Operation::into_single).flat_map(|one| [one, Settle]).collect();
            let certain = expected(&executed(often));
            prop_assert!(certain.values().all(|certainty| *certainty == Must));
            // Without settling, every notification that is certain with settling is at least optional.
            let often: Vec<_> = history(seed, size).into_iter().flat_map(Operation::into_single).flat_map(|one| [one, Settle]).collect();
            let mut never = executed(often);
            never.iter_mut().for_each(|executed| executed.settled = false);
            let open = expected(&never);
            prop_assert!(certain.keys().all(|notification_key| open.contains_key(notification_key)));
            prop_assert!(open.iter().all(|(notification_key, certainty)| *certainty == May || certain.contains_key(notification_key)));
        }
    }
}
