//! What decides about notifications, over time.

use std::collections::BTreeMap;

use super::{
    Executed,
    event::{Audience, Event, settled_from},
};
use crate::{operation::Operation, timeline::Timeline};

/// Whether an allowed notification is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It is required.
    Must,
    /// It is optional, because a condition changed while it was processed.
    May,
}

impl Certainty {
    /// Required if both are.
    pub fn and(self, other: Self) -> Self {
        if other == Self::Must { self } else { other }
    }
}

/// Where a notification arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// In the inbox, which needs no phone.
    Inbox,
    /// On the phone with this number.
    Phone(usize),
}

/// The conditions of notifications over time.
#[derive(Debug)]
pub struct Conditions {
    /// By follower and followed person: the commit of the follow.
    follows: BTreeMap<(usize, usize), Timeline<Option<u64>>>,
    blocks: BTreeMap<(usize, usize), Timeline<bool>>,
    mutes: BTreeMap<(usize, usize), Timeline<bool>>,
    /// By story: whether it has an author, who is notified of reactions.
    has_author: BTreeMap<usize, Timeline<bool>>,
    /// By story: whether others than its author may see it.
    visible: BTreeMap<usize, StoryVisibility>,
    preferences: BTreeMap<usize, Timeline<Vec<&'static str>>>,
    /// By person and phone: whether the person is signed in on the phone.
    phones: BTreeMap<(usize, usize), Timeline<bool>>,
}

/// Whether others may see a story, over time.
#[derive(Debug)]
struct StoryVisibility {
    is_visible: Timeline<bool>,
    /// Changes: index in the history, and index from which the change is processed.
    changes: Vec<(usize, usize)>,
}

/// A part of the history in which an event is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Index in the history.
    pub from: usize,
    /// Index from which it is processed completely.
    pub to: usize,
    /// Whether recipients may be notified: a story may be seen.
    is_open: bool,
}

/// The parts of the history in which an event is processed: of a hidden story again when that changes.
#[derive(Debug)]
pub struct Windows {
    /// In order.
    pub all: Vec<Window>,
    /// Whether the last one certainly decides about all recipients.
    pub is_final: bool,
}

impl Conditions {
    /// The conditions of a history.
    pub fn of(history: &[Executed]) -> Self {
        let mut conditions = Self {
            follows: BTreeMap::new(),
            blocks: BTreeMap::new(),
            mutes: BTreeMap::new(),
            has_author: BTreeMap::new(),
            visible: BTreeMap::new(),
            preferences: BTreeMap::new(),
            phones: BTreeMap::new(),
        };
        for (at, executed) in history.iter().enumerate() {
            // Changes of the graph take effect when processed; those by the API take effect immediately.
            let known = settled_from(history, at);
            let set = |timelines: &mut BTreeMap<_, Timeline<bool>>, of, value| {
                timelines.entry(of).or_insert_with(|| Timeline::new(false)).change(at, known, value);
            };
            match &executed.operation {
                // Whether a follower is notified depends only on the order of the commits.
                Operation::Follow { from, to } => conditions.follow((*from, *to), at, at, executed.commit),
                Operation::Unfollow { from, to } => conditions.follow((*from, *to), at, known, None),
                Operation::Block { from, to } => set(&mut conditions.blocks, (*from, *to), true),
                Operation::Unblock { from, to } => set(&mut conditions.blocks, (*from, *to), false),
                Operation::Mute { from, to } => set(&mut conditions.mutes, (*from, *to), true),
                Operation::Unmute { from, to } => set(&mut conditions.mutes, (*from, *to), false),
                // Earlier reactions wait for the author.
                Operation::PublishStory { story, .. } => {
                    conditions.set_author(*story, at, at, true);
                    conditions
                        .visible
                        .insert(*story, StoryVisibility { is_visible: Timeline::new(true), changes: Vec::new() });
                }
                Operation::SetVisibility { story, visibility } => {
                    if let Some(visibility_history) = conditions.visible.get_mut(story) {
                        // A removed visibility means private until it is set again. Pending notifications are decided
                        // by the function that processes the change: it sees only the new value.
                        visibility_history.is_visible.change(
                            at,
                            at,
                            visibility.is_some_and(|visibility| visibility != "private"),
                        );
                        visibility_history.changes.push((at, known));
                    }
                }
                Operation::UnpublishStory { story, .. } | Operation::RemoveStory { story } => {
                    conditions.set_author(*story, at, known, false);
                }
                // Facts of the graph before a reset are void for all later events.
                Operation::Reset => {
                    conditions.follows.values_mut().for_each(|timeline| timeline.change(at, at, None));
                    let Self { blocks, mutes, has_author, .. } = &mut conditions;
                    let facts = blocks.values_mut().chain(mutes.values_mut()).chain(has_author.values_mut());
                    facts.for_each(|timeline| timeline.change(at, at, false));
                }
                Operation::SetPreferences { person, muted } => {
                    let timeline = conditions.preferences.entry(*person).or_insert_with(|| Timeline::new(Vec::new()));
                    timeline.change(at, at, muted.clone());
                }
                Operation::SignIn { person, phone } => {
                    for (other, elsewhere) in conditions.signed_in() {
                        if other == *person || elsewhere == *phone {
                            conditions.sign((other, elsewhere), at, false);
                        }
                    }
                    conditions.sign((*person, *phone), at, true);
                }
                // Everything before was processed: only the phone matters.
                Operation::SignOut { person } | Operation::Erase { person, .. } => {
                    for (_, phone) in conditions.signed_in().into_iter().filter(|(other, _)| other == person) {
                        conditions.sign((*person, phone), at, false);
                    }
                }
                _ => {}
            }
        }
        conditions
    }

    fn follow(&mut self, of: (usize, usize), at: usize, known: usize, since: Option<u64>) {
        self.follows.entry(of).or_insert_with(|| Timeline::new(None)).change(at, known, since);
    }

    fn set_author(&mut self, story: usize, at: usize, known: usize, has_author: bool) {
        self.has_author.entry(story).or_insert_with(|| Timeline::new(false)).change(at, known, has_author);
    }

    fn sign(&mut self, of: (usize, usize), at: usize, is_in: bool) {
        self.phones.entry(of).or_insert_with(|| Timeline::new(false)).change(at, at, is_in);
    }

    fn signed_in(&self) -> Vec<(usize, usize)> {
        self.phones.iter().filter(|(_, timeline)| *timeline.last()).map(|(of, _)| *of).collect()
    }

    /// Whether the event certainly claims its cooldown, or finds it claimed: its edge and its recipient exist when it is
    /// processed. `None` if it certainly does not.
    pub fn is_claimed(&self, event: &Event) -> Option<bool> {
        let author = event.story.map_or_else(
            || vec![true],
            |story| {
                let timeline = self.has_author.get(&story);
                timeline.map_or_else(
                    || vec![false],
                    |timeline| timeline.observable(event.at, event.processed_at).copied().collect(),
                )
            },
        );
        let is_removed = event.reverted.is_some_and(|(removed_at, _)| removed_at <= event.processed_at);
        author.contains(&true).then_some(!author.contains(&false) && !is_removed)
    }

    /// Whether the event, if it was sent, certainly has an outcome for the recipient, such as that they block the actor.
    /// `None` if it certainly has none.
    pub fn decides(&self, event: &Event, recipient: usize) -> Option<bool> {
        let in_audience = self.in_audience(event, recipient, event.at, event.processed_at);
        let shown = event.published.and_then(|story| self.visible.get(&story));
        let is_shown =
            shown.is_none_or(|shown| shown.is_visible.observable(event.at, event.processed_at).all(|shown| *shown));
        // The audience of a hidden story is decided when it is shown.
        (!is_shown || in_audience.contains(&true)).then_some(is_shown && !in_audience.contains(&false))
    }

    /// The answers to whether the recipient is in the audience between the indices `from` and `to`.
    fn in_audience(&self, event: &Event, recipient: usize, from: usize, to: usize) -> Vec<bool> {
        match event.audience {
            Audience::One(person) => vec![person == recipient],
            Audience::FollowersOf(person) => {
                let follows = self.follows.get(&(recipient, person));
                let before = |since: &Option<u64>| since.is_some_and(|since| since < event.commit);
                follows.map_or_else(|| vec![false], |timeline| timeline.observable(from, to).map(before).collect())
            }
        }
    }

    /// The parts of the history in which the event is processed.
    pub fn windows(&self, event: &Event) -> Windows {
        let shown = event.published.and_then(|story| self.visible.get(&story));
        let later = shown.into_iter().flat_map(|shown| shown.changes.iter().copied());
        let mut all = Vec::new();
        for (from, to) in std::iter::once((event.at, event.processed_at)).chain(later) {
            let seen: Vec<_> =
                shown.map_or_else(|| vec![true], |shown| shown.is_visible.observable(from, to).copied().collect());
            all.push(Window { from, to, is_open: seen.contains(&true) });
            if !seen.contains(&false) {
                return Windows { all, is_final: true };
            }
        }
        Windows { all, is_final: false }
    }

    /// Whether the recipient gets the notification there. `None` if it is forbidden.
    ///
    /// Notifications of a hidden story are decided when it becomes visible.
    pub fn certainty(&self, event: &Event, recipient: usize, destination: Destination) -> Option<Certainty> {
        let Windows { all, is_final } = self.windows(event);
        let open = all.into_iter().filter(|window| window.is_open);
        let certainties: Vec<_> =
            open.map(|window| self.certainty_within(event, recipient, destination, window)).collect();
        let is_certain = is_final && certainties.iter().all(|certainty| *certainty == Some(Certainty::Must));
        let is_allowed = certainties.iter().any(Option::is_some);
        is_allowed.then_some(if is_certain { Certainty::Must } else { Certainty::May })
    }

    /// Like [`Self::certainty`], if the event is processed within the window.
    fn certainty_within(
        &self,
        event: &Event,
        recipient: usize,
        destination: Destination,
        Window { from, to, .. }: Window,
    ) -> Option<Certainty> {
        let is = |timeline: Option<&Timeline<bool>>| {
            timeline.map_or_else(|| vec![false], |timeline| timeline.observable(from, to).copied().collect())
        };
        let is_not = |timeline| is(timeline).into_iter().map(|value: bool| !value).collect();
        let in_audience = self.in_audience(event, recipient, from, to);
        let wants = match self.preferences.get(&recipient) {
            Some(timeline) => timeline.observable(from, to).map(|muted| !muted.contains(&event.category)).collect(),
            None => vec![true],
        };
        let is_current = match event.reverted {
            Some((_, known)) if known <= from => vec![false],
            Some((reverted_at, _)) if reverted_at <= to => vec![true, false],
            _ => vec![true],
        };
        let has_recipient = match event.story {
            Some(story) => is(self.has_author.get(&story)),
            None => vec![true],
        };
        let is_there = match destination {
            Destination::Inbox => vec![true],
            Destination::Phone(phone) => is(self.phones.get(&(recipient, phone))),
        };
        let conditions: [Vec<bool>; 8] = [
            in_audience,
            has_recipient,
            wants,
            is_current,
            is_not(self.blocks.get(&(event.actor, recipient))),
            is_not(self.blocks.get(&(recipient, event.actor))),
            is_not(self.mutes.get(&(recipient, event.actor))),
            is_there,
        ];
        if conditions.iter().any(|seen| seen.iter().all(|holds| !holds)) {
            return None;
        }
        let is_certain = conditions.iter().all(|seen| seen.iter().all(|holds| *holds));
        Some(if is_certain { Certainty::Must } else { Certainty::May })
    }
}
