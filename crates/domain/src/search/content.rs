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

/// Searchable content of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A story with an author and a title.
    Story(Story),
    /// A person with a name.
    Person(Person),
    /// A tag with a name.
    Tag(Tag),
    /// None of these, or no longer.
    NotSearchable,
}

/// A story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Normalized title.
    pub title: String,
    /// Id of the person who told it, the first if there are several.
    pub author: String,
    /// Time at which the author told it.
    pub published_at: Timestamp,
    /// Visibility of the story.
    pub visibility: Visibility,
    /// Ids of at most [`MAX_TAGS`] tags, the earliest first.
    pub tags: Vec<String>,
}

/// Most tags of a story.
pub const MAX_TAGS: usize = 10;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Normalized name.
    pub name: String,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Normalized name.
    pub name: String,
}

impl Content {
    /// The content of an entry.
    pub fn of(entry: &Entry) -> Self {
        let text = |name| entry.value(name).map(str::to_owned);
        if let (Some(title), Some((author, published_at))) = (text(TITLE), author(entry)) {
            let (visibility, tags) = (visibility(entry), tags(entry));
            return Self::Story(Story { title, author, published_at, visibility, tags });
        }
        match text(NAME) {
            Some(name) if entry.value(PERSON).is_some() => Self::Person(Person { name }),
            Some(name) if entry.value(TAG).is_some() => Self::Tag(Tag { name }),
            _ => Self::NotSearchable,
        }
    }
}

impl Story {
    /// Whether `caller` may see it; `None` if that depends on whether they follow the author.
    pub fn is_visible_to(&self, caller: &str) -> Option<bool> {
        match self.visibility {
            _ if self.author == caller => Some(true),
            Visibility::Public => Some(true),
            Visibility::Private => Some(false),
            Visibility::Followers => None,
        }
    }

    /// Whether a caller with this relation to the author may see it.
    pub fn is_visible_to_relation(&self, relation: Relation) -> bool {
        relation.may_see(self.visibility)
    }
}

/// Author and time of the earliest edge `told` that still exists.
fn author(entry: &Entry) -> Option<(String, Timestamp)> {
    let told = entry.registers().filter(|(name, _)| name.starts_with(TOLD));
    let told = told.filter_map(|(name, register)| {
        let (at, person) = register.value.as_deref()?.split_once(' ')?;
        let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
        // All edges of an export have one position, and differ in time and id.
        Some(((register.position, at, name), (person.to_owned(), at)))
    });
    told.min_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, author)| author)
}

/// Tags by the position of their edges, without duplicates.
fn tags(entry: &Entry) -> Vec<String> {
    let tagged = entry.registers().filter(|(name, _)| name.starts_with(TAGGED));
    let mut tagged: Vec<_> =
        tagged.filter_map(|(name, register)| Some((register.position, name, register.value.as_ref()?))).collect();
    tagged.sort();
    let mut unique = BTreeSet::new();
    tagged.into_iter().map(|(_, _, tag)| tag).filter(|tag| unique.insert(*tag)).take(MAX_TAGS).cloned().collect()
}

fn visibility(entry: &Entry) -> Visibility {
    match entry.register(VISIBILITY) {
        // It was never set.
        None => Visibility::Public,
        Some(register) => visibility::of_register(register.value.as_deref()),
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
            entry.apply(fact);
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
    fn story_has_an_author_and_a_title() {
        assert_eq!(content(&told(), "s"), Content::Story(story(Visibility::Public)));
        assert_eq!(content(&told()[..1], "s"), Content::NotSearchable);
        assert_eq!(content(&told()[1..], "s"), Content::NotSearchable);
    }

    #[test]
    fn story_without_author_or_title_is_not_searchable() {
        for removed in [edge(ChangeKind::Removed, 3, "e", "told", "mina", "s"), vertex(3, "s", TITLE, None)] {
            assert_eq!(content(&[told(), vec![removed]].concat(), "s"), Content::NotSearchable);
        }
    }

    #[test]
    fn person_has_a_label_and_a_name() {
        let (label, name) = (labelled(1, "mina", "person"), vertex(1, "mina", NAME, Some("미나")));
        let person = Content::Person(Person { name: "미나".into() });
        assert_eq!(content(&[label.clone(), name.clone()], "mina"), person);
        assert_eq!(content(std::slice::from_ref(&name), "mina"), Content::NotSearchable);
        let mut unlabelled = labelled(2, "mina", "person");
        unlabelled.labels.removed = std::mem::take(&mut unlabelled.labels.added);
        assert_eq!(content(&[unlabelled, label, name], "mina"), Content::NotSearchable);
    }

    #[test]
    fn tag_has_a_label_and_a_name() {
        let (label, name) = (labelled(1, "snow", "tag"), vertex(1, "snow", NAME, Some("첫눈")));
        let tag = Content::Tag(Tag { name: "첫눈".into() });
        assert_eq!(content(&[name.clone(), label.clone()], "snow"), tag);
        let mut unlabelled = labelled(2, "snow", "tag");
        unlabelled.labels.removed = std::mem::take(&mut unlabelled.labels.added);
        assert_eq!(content(&[label, name, unlabelled], "snow"), Content::NotSearchable);
    }

    #[test]
    fn story_has_its_earliest_tags_without_duplicates() {
        let tagged =
            |change_kind, commit_num, id: &str, tag: &str| edge(change_kind, commit_num, id, "tagged", "s", tag);
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
        assert_eq!(tags(&changes), ["winter", "snow"], "another edge remains");
        changes.extend((0..50).map(|n| tagged(ChangeKind::Added, 10 + n, &format!("x{n}"), &format!("t{n:02}"))));
        assert_eq!((tags(&changes).len(), tags(&changes).last().map(String::as_str)), (MAX_TAGS, Some("t07")));
    }

    #[test]
    fn author_is_the_first_whose_edge_still_exists() {
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
    fn author_among_exported_edges_is_the_earliest_by_time() {
        let exported = |edge_id, person, at| {
            let mut change = edge(ChangeKind::Added, 0, edge_id, "told", person, "s");
            change.position = Position::new(0, 0);
            change.commit_timestamp_ms = at;
            change
        };
        let changes = [vertex(1, "s", TITLE, Some("첫눈")), exported("e", "jun", 7), exported("f", "mina", 5)];
        let Content::Story(story) = content(&changes, "s") else { panic!("no story") };
        assert_eq!((story.author.as_str(), story.published_at.as_millisecond()), ("mina", 5));
    }

    #[test]
    fn story_is_visible_by_its_visibility() {
        for (value, visibility) in [
            ("public", Visibility::Public),
            ("followers", Visibility::Followers),
            ("private", Visibility::Private),
            ("friends", Visibility::Private),
        ] {
            let changes = [told(), vec![vertex(3, "s", VISIBILITY, Some(value))]].concat();
            assert_eq!(content(&changes, "s"), Content::Story(story(visibility)), "{value}");
        }
        let removed = [told(), vec![vertex(3, "s", VISIBILITY, None)]].concat();
        assert_eq!(content(&removed, "s"), Content::Story(story(Visibility::Private)));
        let visible = |caller: &str| Visibility::ALL.map(|visibility| story(visibility).is_visible_to(caller));
        assert_eq!(visible("mina"), [Some(true); 3]);
        assert_eq!(visible("jun"), [Some(true), None, Some(false)]);
    }
}
