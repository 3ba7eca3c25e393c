//! Who is told of what.

use std::collections::BTreeMap;

use super::Done;
use crate::{generator::PERSONS, operation::Operation, timeline::Timeline};

/// A notification: what it tells of, by which rule, and to whom on which phone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Telling {
    /// The commit that made it.
    pub commit: u64,
    /// The rule's id.
    pub rule: &'static str,
    /// The phone that shows it.
    pub phone: usize,
}

/// Whether it must be shown, where it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It must.
    Must,
    /// Something changed while it was on its way: both are right.
    May,
}

/// All notifications that are right. Every other is wrong.
pub fn tellings(history: &[Done]) -> BTreeMap<Telling, Certainty> {
    let facts = Facts::of(history);
    let mut tellings = BTreeMap::new();
    for event in events(history) {
        for recipient in (0..PERSONS).filter(|recipient| *recipient != event.actor) {
            for phone in 0..PERSONS {
                if let Some(certainty) = facts.certainty(&event, recipient, phone) {
                    tellings.insert(Telling { commit: event.commit, rule: event.rule, phone }, certainty);
                }
            }
        }
    }
    tellings
}

/// Something that somebody is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    /// Its place in the history.
    at: usize,
    /// By when everybody has been told.
    over_at: usize,
    commit: u64,
    actor: usize,
    rule: &'static str,
    category: &'static str,
    audience: Audience,
    /// The story whose teller is told, if it is that.
    story: Option<usize>,
    /// The story of which others are told than its teller, if it is that.
    shown: Option<usize>,
    /// Where it is taken back, if it is, and from where on all know.
    undone: Option<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    One(usize),
    FollowersOf(usize),
}

/// From where on all knows what was done at `at`: the first time that all was worked off, if ever.
fn known_from(history: &[Done], at: usize) -> usize {
    let mut later = history.iter().enumerate().skip(at + 1);
    later.find(|(_, done)| done.settled).map_or(usize::MAX, |(place, _)| place)
}

fn events(history: &[Done]) -> Vec<Event> {
    let mut authors = BTreeMap::new();
    let mut events = Vec::new();
    for (at, done) in history.iter().enumerate() {
        if let Operation::Tell { author, story } = done.operation {
            authors.insert(story, author);
        }
        let owner_of = |story: usize| authors.get(&story).map(|owner| Audience::One(*owner));
        let shown = match done.operation {
            Operation::Tell { story, .. } => Some(story),
            _ => None,
        };
        let told = match done.operation {
            Operation::Follow { from, to } => Some(("follow", "followers", from, Some(Audience::One(to)), None)),
            Operation::Tell { author, .. } => {
                Some(("story", "stories", author, Some(Audience::FollowersOf(author)), None))
            }
            Operation::Like { from, story } => Some(("like-story", "likes", from, owner_of(story), Some(story))),
            Operation::Reply { from, story, .. } => {
                Some(("reply-story", "replies", from, owner_of(story), Some(story)))
            }
            _ => None,
        };
        let (Some((rule, category, actor, Some(audience), story)), Some(commit)) = (told, done.commit) else {
            continue;
        };
        let mut later = history.iter().enumerate().skip(at + 1);
        let undone = later.find(|(_, later)| undoes(&later.operation, &done.operation));
        let undone = undone.map(|(at, _)| (at, known_from(history, at)));
        let over_at = known_from(history, at);
        events.push(Event { at, over_at, commit, actor, rule, category, audience, story, shown, undone });
    }
    events
}

/// Whether an operation takes back what an earlier one did: removes the edge that it added.
fn undoes(later: &Operation, earlier: &Operation) -> bool {
    match (earlier, later) {
        (Operation::Follow { from, to }, Operation::Unfollow { from: whose, to: whom }) => (from, to) == (whose, whom),
        (Operation::Like { from, story }, Operation::Unlike { from: whose, story: which }) => {
            (from, story) == (whose, which)
        }
        (Operation::Tell { story, .. }, Operation::Untell { story: which, .. }) => story == which,
        (
            Operation::Tell { story, .. } | Operation::Like { story, .. } | Operation::Reply { story, .. },
            Operation::RemoveStory { story: which },
        ) => story == which,
        _ => false,
    }
}

/// All that decides who is told.
#[derive(Debug)]
struct Facts {
    /// The commit by which one follows another.
    follows: BTreeMap<(usize, usize), Timeline<Option<u64>>>,
    blocks: BTreeMap<(usize, usize), Timeline<bool>>,
    mutes: BTreeMap<(usize, usize), Timeline<bool>>,
    /// By story: whether somebody tells it, and so is to be told of what others do with it.
    told: BTreeMap<usize, Timeline<bool>>,
    /// By story: whether others may see it than who tells it, and where that was said.
    shown: BTreeMap<usize, Shown>,
    preferences: BTreeMap<usize, Timeline<Vec<&'static str>>>,
    /// By person and phone: whether that person is signed in there.
    phones: BTreeMap<(usize, usize), Timeline<bool>>,
}

/// Whether a story may be seen by others.
#[derive(Debug)]
struct Shown {
    is: Timeline<bool>,
    /// Where it was said anew; and by when everybody has been told for whom that was news.
    said: Vec<(usize, usize)>,
}

impl Facts {
    fn of(history: &[Done]) -> Self {
        let mut facts = Self {
            follows: BTreeMap::new(),
            blocks: BTreeMap::new(),
            mutes: BTreeMap::new(),
            told: BTreeMap::new(),
            shown: BTreeMap::new(),
            preferences: BTreeMap::new(),
            phones: BTreeMap::new(),
        };
        for (at, done) in history.iter().enumerate() {
            // The graph's changes are known when they have been worked off, the API's when it has answered.
            let known = known_from(history, at);
            let set = |timelines: &mut BTreeMap<_, Timeline<bool>>, of, value| {
                timelines.entry(of).or_insert_with(|| Timeline::new(false)).change(at, known, value);
            };
            match &done.operation {
                // Who follows late is told late of what came in between: only positions decide.
                Operation::Follow { from, to } => facts.follow((*from, *to), at, at, done.commit),
                Operation::Unfollow { from, to } => facts.follow((*from, *to), at, known, None),
                Operation::Block { from, to } => set(&mut facts.blocks, (*from, *to), true),
                Operation::Unblock { from, to } => set(&mut facts.blocks, (*from, *to), false),
                Operation::Mute { from, to } => set(&mut facts.mutes, (*from, *to), true),
                Operation::Unmute { from, to } => set(&mut facts.mutes, (*from, *to), false),
                // What others did with it before waits for its teller.
                Operation::Tell { story, .. } => {
                    facts.tell(*story, at, at, true);
                    facts.shown.insert(*story, Shown { is: Timeline::new(true), said: Vec::new() });
                }
                Operation::SetVisibility { story, visibility } => {
                    if let Some(shown) = facts.shown.get_mut(story) {
                        // What is not said any more is hidden until it is said again. What waited is told by
                        // whoever learns it: who looks from here on cannot see what was before.
                        shown.is.change(at, at, visibility.is_some_and(|visibility| visibility != "private"));
                        shown.said.push((at, known));
                    }
                }
                Operation::Untell { story, .. } | Operation::RemoveStory { story } => {
                    facts.tell(*story, at, known, false);
                }
                Operation::Prefer { person, muted } => {
                    let timeline = facts.preferences.entry(*person).or_insert_with(|| Timeline::new(Vec::new()));
                    timeline.change(at, at, muted.clone());
                }
                Operation::SignIn { person, phone } => {
                    for (other, elsewhere) in facts.signed_in() {
                        if other == *person || elsewhere == *phone {
                            facts.sign((other, elsewhere), at, false);
                        }
                    }
                    facts.sign((*person, *phone), at, true);
                }
                Operation::SignOut { person } => {
                    for (_, phone) in facts.signed_in().into_iter().filter(|(other, _)| other == person) {
                        facts.sign((*person, phone), at, false);
                    }
                }
                _ => {}
            }
        }
        facts
    }

    fn follow(&mut self, of: (usize, usize), at: usize, known: usize, since: Option<u64>) {
        self.follows.entry(of).or_insert_with(|| Timeline::new(None)).change(at, known, since);
    }

    fn tell(&mut self, story: usize, at: usize, known: usize, is_told: bool) {
        self.told.entry(story).or_insert_with(|| Timeline::new(false)).change(at, known, is_told);
    }

    fn sign(&mut self, of: (usize, usize), at: usize, is_in: bool) {
        self.phones.entry(of).or_insert_with(|| Timeline::new(false)).change(at, at, is_in);
    }

    fn signed_in(&self) -> Vec<(usize, usize)> {
        self.phones.iter().filter(|(_, timeline)| *timeline.last()).map(|(of, _)| *of).collect()
    }

    /// Whether the recipient is told on that phone; nothing, if they must not be.
    ///
    /// Of a story that is hidden nothing is decided, until it is shown.
    fn certainty(&self, event: &Event, recipient: usize, phone: usize) -> Option<Certainty> {
        let (mut may_be_told, mut may_be_not) = (false, false);
        let mut decide = |(from, to)| {
            let certainty = self.certainty_within(event, recipient, phone, from, to);
            may_be_told |= certainty.is_some();
            may_be_not |= certainty != Some(Certainty::Must);
        };
        let mut is_decided = false;
        let shown = event.shown.and_then(|story| self.shown.get(&story));
        let later = shown.into_iter().flat_map(|shown| shown.said.iter().copied());
        for time in std::iter::once((event.at, event.over_at)).chain(later) {
            let seen: Vec<_> =
                shown.map_or_else(|| vec![true], |shown| shown.is.seen(time.0, time.1).copied().collect());
            if seen.contains(&true) {
                decide(time);
            }
            is_decided = !seen.contains(&false);
            if is_decided {
                break;
            }
        }
        may_be_not |= !is_decided;
        may_be_told.then_some(if may_be_not { Certainty::May } else { Certainty::Must })
    }

    /// The same of who is told at some time from `from` through `to`.
    fn certainty_within(
        &self,
        event: &Event,
        recipient: usize,
        phone: usize,
        from: usize,
        to: usize,
    ) -> Option<Certainty> {
        let is = |timeline: Option<&Timeline<bool>>| {
            timeline.map_or_else(|| vec![false], |timeline| timeline.seen(from, to).copied().collect())
        };
        let is_not = |timeline| is(timeline).into_iter().map(|value: bool| !value).collect();
        let in_audience = match event.audience {
            Audience::One(person) => vec![person == recipient],
            Audience::FollowersOf(person) => {
                let follows = self.follows.get(&(recipient, person));
                let before = |since: &Option<u64>| since.is_some_and(|since| since < event.commit);
                follows.map_or_else(|| vec![false], |timeline| timeline.seen(from, to).map(before).collect())
            }
        };
        let wants = match self.preferences.get(&recipient) {
            Some(timeline) => timeline.seen(from, to).map(|muted| !muted.contains(&event.category)).collect(),
            None => vec![true],
        };
        let stands = match event.undone {
            Some((_, known)) if known <= from => vec![false],
            Some((undone_at, _)) if undone_at <= to => vec![true, false],
            _ => vec![true],
        };
        let is_told = match event.story {
            Some(story) => is(self.told.get(&story)),
            None => vec![true],
        };
        let conditions: [Vec<bool>; 8] = [
            in_audience,
            is_told,
            wants,
            stands,
            is_not(self.blocks.get(&(event.actor, recipient))),
            is_not(self.blocks.get(&(recipient, event.actor))),
            is_not(self.mutes.get(&(recipient, event.actor))),
            is(self.phones.get(&(recipient, phone))),
        ];
        if conditions.iter().any(|seen| seen.iter().all(|holds| !holds)) {
            return None;
        }
        let is_certain = conditions.iter().all(|seen| seen.iter().all(|holds| *holds));
        Some(if is_certain { Certainty::Must } else { Certainty::May })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        generator::{Size, history},
        model::testing::done,
    };

    fn both_signed_in() -> Vec<Operation> {
        (0..2).map(|person| Operation::SignIn { person, phone: person }).collect()
    }

    /// What is told after everybody has signed in: rule, phone and certainty.
    fn told(rest: Vec<Operation>) -> Vec<(&'static str, usize, Certainty)> {
        let history = done(both_signed_in().into_iter().chain(rest).collect());
        tellings(&history).into_iter().map(|(telling, certainty)| (telling.rule, telling.phone, certainty)).collect()
    }

    const FOLLOW: Operation = Operation::Follow { from: 1, to: 0 };
    const TELL: Operation = Operation::Tell { author: 0, story: 0 };
    const LIKE: Operation = Operation::Like { from: 1, story: 0 };
    use Certainty::{May, Must};
    use Operation::Settle;

    #[test]
    fn who_is_concerned_is_told() {
        assert_eq!(told(vec![FOLLOW, TELL, LIKE]), [("follow", 0, Must), ("story", 1, Must), ("like-story", 0, Must)]);
        assert_eq!(told(vec![TELL, FOLLOW]), [("follow", 0, Must)], "who follows later has missed it");
        assert_eq!(told(vec![TELL, Operation::Like { from: 0, story: 0 }]), [], "her own");
    }

    #[test]
    fn what_is_taken_back_in_time_may_be_told() {
        let unlike = Operation::Unlike { from: 1, story: 0 };
        assert_eq!(told(vec![TELL, LIKE, unlike.clone()]), [("like-story", 0, May)]);
        assert_eq!(told(vec![TELL, LIKE, Settle, unlike]), [("like-story", 0, Must)]);
    }

    #[test]
    fn a_block_counts_once_it_is_known() {
        let block = Operation::Block { from: 0, to: 1 };
        assert_eq!(told(vec![TELL, block.clone(), LIKE]), [("like-story", 0, May)]);
        assert_eq!(told(vec![TELL, block.clone(), Settle, LIKE]), []);
        assert_eq!(told(vec![TELL, LIKE, Settle, block]), [("like-story", 0, Must)]);
    }

    #[test]
    fn a_sign_out_counts_at_once() {
        let out = Operation::SignOut { person: 0 };
        assert_eq!(told(vec![TELL, out.clone(), LIKE]), []);
        assert_eq!(told(vec![TELL, LIKE, out]), [("like-story", 0, May)]);
        // Person 1 takes the phone: nothing of person 0's is shown there any more.
        let moved = Operation::SignIn { person: 1, phone: 0 };
        assert_eq!(told(vec![TELL, moved.clone(), LIKE]), []);
        assert_eq!(told(vec![FOLLOW, Settle, moved, TELL]), [("follow", 0, Must), ("story", 0, Must)]);
    }

    #[test]
    fn nobody_is_told_of_a_story_that_nobody_tells() {
        let untell = Operation::Untell { author: 0, story: 0 };
        assert_eq!(told(vec![TELL, untell.clone(), LIKE]), [("like-story", 0, May)]);
        assert_eq!(told(vec![TELL, Settle, untell.clone(), Settle, LIKE]), []);
        assert_eq!(told(vec![TELL, LIKE, Settle, untell.clone()]), [("like-story", 0, Must)]);
        assert_eq!(told(vec![FOLLOW, TELL, untell]), [("follow", 0, Must), ("story", 1, May)]);
    }

    #[test]
    fn a_story_takes_with_it_what_was_done_with_it() {
        let remove = Operation::RemoveStory { story: 0 };
        let reply = Operation::Reply { from: 1, story: 0, comment: 1 };
        let open = [("follow", 0, Must), ("story", 1, May), ("like-story", 0, May), ("reply-story", 0, May)];
        assert_eq!(told(vec![FOLLOW, TELL, LIKE, reply.clone(), remove.clone()]), open);
        let certain = open.map(|(rule, phone, _)| (rule, phone, Must));
        assert_eq!(told(vec![FOLLOW, TELL, LIKE, reply, Settle, remove]), certain);
    }

    fn shown(visibility: Option<&'static str>) -> Operation {
        Operation::SetVisibility { story: 0, visibility }
    }

    /// What is told of the story, where a follower is told of nothing else.
    fn told_of_story(rest: Vec<Operation>) -> Option<Certainty> {
        let told = told([FOLLOW, Settle, TELL].into_iter().chain(rest).collect());
        told.iter().find(|(rule, ..)| *rule == "story").map(|(.., certainty)| *certainty)
    }

    #[test]
    fn a_hidden_story_is_told_to_nobody_until_it_is_shown() {
        for hidden in [Some("private"), None] {
            let hide = || [shown(Some("followers")), shown(hidden)];
            assert_eq!(told_of_story(hide().to_vec()), Some(May), "it was open to all at first");
            assert_eq!(told_of_story([hide().as_slice(), &[Settle]].concat()), Some(May));
            for open in ["public", "followers"] {
                let again = [hide().as_slice(), &[shown(Some(open))]].concat();
                assert_eq!(told_of_story(again), Some(Must), "by then at the latest");
            }
        }
        assert_eq!(told_of_story(vec![Settle, shown(Some("private"))]), Some(Must));
    }

    #[test]
    fn what_happens_while_a_story_is_hidden_counts() {
        let hide = [shown(Some("private")), Settle];
        let after = |rest: &[Operation]| told_of_story([&hide, rest].concat());
        let show = || shown(Some("public"));
        let unfollow = Operation::Unfollow { from: 1, to: 0 };
        // They may have been told in the beginning.
        assert_eq!(after(&[unfollow.clone(), Settle, show()]), Some(May));
        assert_eq!(after(&[show(), Settle, unfollow]), Some(Must));
        let untell = Operation::Untell { author: 0, story: 0 };
        assert_eq!(after(&[untell, Settle, show()]), Some(May));
        // Who did not want to hear of it in the beginning may have been settled for good.
        let prefer = |muted: &[&'static str]| Operation::Prefer { person: 1, muted: muted.to_vec() };
        let rest = [TELL, hide[0].clone(), Settle, prefer(&[]), show()];
        let told = told([[FOLLOW, prefer(&["stories"]), Settle].as_slice(), &rest].concat());
        assert_eq!(told, [("follow", 0, Must), ("story", 1, May)]);
    }

    #[test]
    fn ones_own_story_is_ones_own_whoever_may_see_it() {
        assert_eq!(told(vec![TELL, Settle, shown(Some("private")), Settle, LIKE]), [("like-story", 0, Must)]);
    }

    proptest! {
        #[test]
        fn settling_everywhere_leaves_nothing_open(seed in any::<u64>()) {
            let size = Size { operations: 120, photographs: 1, restarts: 0 };
            let often: Vec<_> = history(seed, size).into_iter().flat_map(Operation::apart).flat_map(|one| [one, Settle]).collect();
            let certain = tellings(&done(often));
            prop_assert!(certain.values().all(|certainty| *certainty == Must));
            // Without ever settling, whatever then is certain may be told at least.
            let often: Vec<_> = history(seed, size).into_iter().flat_map(Operation::apart).flat_map(|one| [one, Settle]).collect();
            let mut never = done(often);
            never.iter_mut().for_each(|done| done.settled = false);
            let open = tellings(&never);
            prop_assert!(certain.keys().all(|telling| open.contains_key(telling)));
            prop_assert!(open.iter().all(|(telling, certainty)| *certainty == May || certain.contains_key(telling)));
        }
    }
}
