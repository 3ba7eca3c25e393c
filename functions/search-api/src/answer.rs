//! What clients are answered.

use domain::{
    media::Visibility,
    search::{Segment, segments},
};
use serde::Serialize;

use crate::visible::Seen;

/// A page of what was found.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Results {
    /// The best first. There can be fewer than were asked for, and still a next page.
    pub items: Vec<Item>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Something found.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Item {
    Story {
        id: String,
        title: String,
        author: Author,
        /// RFC 3339 in UTC, to the millisecond: of one length, so that clients may sort it as text.
        published_at: String,
        visibility: Visibility,
        /// The title in parts. Absent if it has changed since it was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        highlight: Option<Vec<Part>>,
    },
    Person {
        id: String,
        name: String,
        /// The name in parts. Absent if it has changed since it was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        highlight: Option<Vec<Part>>,
    },
}

/// Who told a story.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Author {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A part of a text. Parts and not tags: a text may hold anything.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    pub text: String,
    /// Whether it is what was looked for.
    #[serde(rename = "match")]
    pub is_match: bool,
}

/// What a query may go on to be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Suggestions {
    pub items: Vec<Suggestion>,
}

/// A text to go on to.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    pub kind: &'static str,
    pub id: String,
    pub text: String,
}

impl Item {
    /// What a client sees of it.
    pub fn of(id: String, seen: Seen, marked: Option<&str>, author_name: Option<String>) -> Self {
        let highlight = |text: &str| Some(segments(text, marked?)?.into_iter().map(Part::from).collect());
        match seen {
            Seen::Story(story) => Self::Story {
                id,
                highlight: highlight(&story.title),
                title: story.title,
                author: Author { id: story.author, name: author_name },
                published_at: format!("{:.3}", story.published_at),
                visibility: story.visibility,
            },
            Seen::Person(person) => Self::Person { id, highlight: highlight(&person.name), name: person.name },
        }
    }
}

impl Suggestion {
    /// What a client sees of it.
    pub fn of(id: String, seen: Seen) -> Self {
        match seen {
            Seen::Story(story) => Self { kind: "story", id, text: story.title },
            Seen::Person(person) => Self { kind: "person", id, text: person.name },
        }
    }
}

impl From<Segment> for Part {
    fn from(Segment { text, is_match }: Segment) -> Self {
        Self { text, is_match }
    }
}
