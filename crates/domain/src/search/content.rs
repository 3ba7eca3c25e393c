use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Entry,
    facts::{NAME, PERSON, TAG, TAGGED, TITLE, TOLD},
};
use crate::{
    media::{Relation, Visibility},
    visibility::{self, VISIBILITY},
};

/// What an entry is, as far as anybody can find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Somebody told it, and it has a title.
    Story(Story),
    /// It is a person with a name.
    Person(Person),
    /// It is a tag with a name.
    Tag(Tag),
    /// It is none of these, or not any more.
    Nothing,
}

/// A story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Clean.
    pub title: String,
    /// Who told it, the first if several did.
    pub author: String,
    /// When that was.
    pub published_at: Timestamp,
    /// Who may see it.
    pub visibility: Visibility,
    /// Ids of its tags, up to [`MAX_TAGS`], the first first.
    pub tags: Vec<String>,
}

/// Tags that count of a story.
pub const MAX_TAGS: usize = 10;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Clean.
    pub name: String,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Clean.
    pub name: String,
}

impl Content {
    /// What an entry says.
    pub fn of(entry: &Entry) -> Self {
        let text = |name| entry.holds(name).map(str::to_owned);
        if let (Some(title), Some((author, published_at))) = (text(TITLE), author(entry)) {
            let (visibility, tags) = (visibility(entry), tags(entry));
            return Self::Story(Story { title, author, published_at, visibility, tags });
        }
        match text(NAME) {
            Some(name) if entry.holds(PERSON).is_some() => Self::Person(Person { name }),
            Some(name) if entry.holds(TAG).is_some() => Self::Tag(Tag { name }),
            _ => Self::Nothing,
        }
    }
}

impl Story {
    /// Whether `caller` may see it, if that can be said without knowing whom they follow.
    pub fn is_shown_to(&self, caller: &str) -> Option<bool> {
        match self.visibility {
            _ if self.author == caller => Some(true),
            Visibility::Public => Some(true),
            Visibility::Private => Some(false),
            Visibility::Followers => None,
        }
    }

    /// Whether somebody may see it who is this to its author.
    pub fn is_shown_to_a(&self, relation: Relation) -> bool {
        relation.sees(self.visibility)
    }
}

/// Who told it first, of those who still do, and when.
fn author(entry: &Entry) -> Option<(String, Timestamp)> {
    let told = entry.registers().filter(|(name, _)| name.starts_with(TOLD));
    let told = told.filter_map(|(name, register)| {
        let (at, person) = register.value.as_deref()?.split_once(' ')?;
        let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
        // Two edges of one commit can be part of one change only if they are one. What is older than the
        // stream has one stamp, but times of its own.
        Some(((register.stamp, at, name), (person.to_owned(), at)))
    });
    told.min_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, author)| author)
}

/// By when it was tagged; each once, however many edges say so.
fn tags(entry: &Entry) -> Vec<String> {
    let tagged = entry.registers().filter(|(name, _)| name.starts_with(TAGGED));
    let mut tagged: Vec<_> =
        tagged.filter_map(|(name, register)| Some((register.stamp, name, register.value.as_ref()?))).collect();
    tagged.sort();
    let mut seen = BTreeSet::new();
    tagged.into_iter().map(|(_, _, tag)| tag).filter(|tag| seen.insert(*tag)).take(MAX_TAGS).cloned().collect()
}

fn visibility(entry: &Entry) -> Visibility {
    match entry.register(VISIBILITY) {
        // Nobody ever said anything.
        None => Visibility::Public,
        Some(register) => visibility::of(register.value.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{Change, ChangeKind, Position},
        search::{
            facts,
            testing::{edge, labelled, vertex},
        },
    };

    fn entry(changes: &[Change], id: &str) -> Entry {
        let mut entry = Entry::default();
        for fact in changes.iter().flat_map(|change| facts("main", change)).filter(|fact| fact.vertex == id) {
            entry.learn(fact);
        }
        entry
    }

    fn content(changes: &[Change], id: &str) -> Content {
        Content::of(&entry(changes, id))
    }

    fn story(visibility: Visibility) -> Story {
        let published_at = Timestamp::from_millisecond(1_795_305_600_000).expect("a time");
        Story { title: "첫눈".into(), author: "mina".into(), published_at, visibility, tags: vec![] }
    }

    fn told() -> Vec<Change> {
        vec![vertex(1, "s", TITLE, Some("첫눈")), edge(ChangeKind::Added, 2, "e", "told", "mina", "s")]
    }

    #[test]
    fn a_story_is_told_and_titled() {
        assert_eq!(content(&told(), "s"), Content::Story(story(Visibility::Public)));
        assert_eq!(content(&told()[..1], "s"), Content::Nothing);
        assert_eq!(content(&told()[1..], "s"), Content::Nothing);
    }

    #[test]
    fn what_was_taken_back_or_removed_is_nothing() {
        for gone in [edge(ChangeKind::Removed, 3, "e", "told", "mina", "s"), vertex(3, "s", TITLE, None)] {
            assert_eq!(content(&[told(), vec![gone]].concat(), "s"), Content::Nothing);
        }
    }

    #[test]
    fn a_person_is_labelled_so_and_named() {
        let (label, name) = (labelled(1, "mina", "person"), vertex(1, "mina", NAME, Some("미나")));
        let person = Content::Person(Person { name: "미나".into() });
        assert_eq!(content(&[label.clone(), name.clone()], "mina"), person);
        assert_eq!(content(std::slice::from_ref(&name), "mina"), Content::Nothing);
        let mut gone = labelled(2, "mina", "person");
        gone.labels.removed = std::mem::take(&mut gone.labels.added);
        assert_eq!(content(&[gone, label, name], "mina"), Content::Nothing);
    }

    #[test]
    fn a_tag_is_labelled_so_and_named() {
        let (label, name) = (labelled(1, "snow", "tag"), vertex(1, "snow", NAME, Some("첫눈")));
        let tag = Content::Tag(Tag { name: "첫눈".into() });
        assert_eq!(content(&[name.clone(), label.clone()], "snow"), tag);
        let mut gone = labelled(2, "snow", "tag");
        gone.labels.removed = std::mem::take(&mut gone.labels.added);
        assert_eq!(content(&[label, name, gone], "snow"), Content::Nothing);
    }

    #[test]
    fn a_story_has_its_tags_once_and_the_first_of_many() {
        let tagged = |what, commit_num, id: &str, tag: &str| edge(what, commit_num, id, "tagged", "s", tag);
        let mut changes = told();
        changes.extend([
            tagged(ChangeKind::Added, 5, "e5", "snow"),
            tagged(ChangeKind::Added, 4, "e4", "winter"),
            tagged(ChangeKind::Added, 6, "e6", "snow"),
            tagged(ChangeKind::Added, 7, "e7", "rain"),
            tagged(ChangeKind::Removed, 8, "e7", "rain"),
        ]);
        let tags = |changes: &[Change]| match content(changes, "s") {
            Content::Story(story) => story.tags,
            other => panic!("{other:?}"),
        };
        assert_eq!(tags(&changes), ["winter", "snow"]);
        changes.push(tagged(ChangeKind::Removed, 9, "e5", "snow"));
        assert_eq!(tags(&changes), ["winter", "snow"], "by another edge");
        changes.extend((0..50).map(|n| tagged(ChangeKind::Added, 10 + n, &format!("x{n}"), &format!("t{n:02}"))));
        assert_eq!((tags(&changes).len(), tags(&changes).last().map(String::as_str)), (MAX_TAGS, Some("t07")));
    }

    #[test]
    fn the_first_who_still_tells_is_the_author() {
        let mut changes = told();
        changes.push(edge(ChangeKind::Added, 3, "a", "told", "jun", "s"));
        let author = |changes: &[Change]| match content(changes, "s") {
            Content::Story(story) => story.author,
            other => panic!("{other:?}"),
        };
        assert_eq!(author(&changes), "mina");
        changes.push(edge(ChangeKind::Removed, 4, "e", "told", "mina", "s"));
        assert_eq!(author(&changes), "jun");
    }

    #[test]
    fn of_those_who_told_it_before_the_stream_the_earliest_is_the_author() {
        let older = |edge_id, person, at| {
            let mut change = edge(ChangeKind::Added, 0, edge_id, "told", person, "s");
            change.position = Position::new(0, 0);
            change.commit_timestamp_ms = at;
            change
        };
        let changes = [vertex(1, "s", TITLE, Some("첫눈")), older("e", "jun", 7), older("f", "mina", 5)];
        let Content::Story(story) = content(&changes, "s") else { panic!("no story") };
        assert_eq!((story.author.as_str(), story.published_at.as_millisecond()), ("mina", 5));
    }

    #[test]
    fn who_sees_a_story() {
        for (said, visibility) in [
            ("public", Visibility::Public),
            ("followers", Visibility::Followers),
            ("private", Visibility::Private),
            ("whoever", Visibility::Private),
        ] {
            let changes = [told(), vec![vertex(3, "s", VISIBILITY, Some(said))]].concat();
            assert_eq!(content(&changes, "s"), Content::Story(story(visibility)), "{said}");
        }
        let taken_away = [told(), vec![vertex(3, "s", VISIBILITY, None)]].concat();
        assert_eq!(content(&taken_away, "s"), Content::Story(story(Visibility::Private)));
        let shown = |caller: &str| Visibility::ALL.map(|visibility| story(visibility).is_shown_to(caller));
        assert_eq!(shown("mina"), [Some(true); 3]);
        assert_eq!(shown("jun"), [Some(true), None, Some(false)]);
    }
}
