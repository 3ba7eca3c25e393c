//! What clients are answered.

use std::collections::HashMap;

use api::{Author, HighlightPart, SearchResult, Suggestion, Tag};
use domain::search::{Kind, Segment, segments};

use crate::visible::Seen;

/// What a client sees of something found; `marked` is its text as it was found, `names` are those of
/// authors and tags.
pub fn result(id: String, seen: Seen, marked: Option<&str>, names: &HashMap<String, String>) -> SearchResult {
    let highlight = |text: &str| Some(segments(text, marked?)?.into_iter().map(part).collect());
    let called = |id: String| (names.get(&id).cloned(), id);
    let named = |kind, name: String| SearchResult {
        kind,
        id: id.clone(),
        highlight: highlight(&name),
        name: Some(name),
        title: None,
        author: None,
        published_at: None,
        visibility: None,
        tags: None,
    };
    match seen {
        Seen::Person(person) => named(Kind::Person, person.name),
        Seen::Tag(tag) => named(Kind::Tag, tag.name),
        Seen::Story(story) => SearchResult {
            kind: Kind::Story,
            id,
            highlight: highlight(&story.title),
            title: Some(story.title),
            author: Some(called(story.author)).map(|(name, id)| Author { id, name }),
            published_at: Some(format!("{:.3}", story.published_at)),
            visibility: Some(story.visibility),
            tags: Some(story.tags.into_iter().map(called).map(|(name, id)| Tag { id, name }).collect()),
            name: None,
        },
    }
}

/// What a client sees of something that a query may go on to be.
pub fn suggestion(id: String, seen: Seen) -> Suggestion {
    match seen {
        Seen::Story(story) => Suggestion { kind: Kind::Story, id, text: story.title },
        Seen::Person(person) => Suggestion { kind: Kind::Person, id, text: person.name },
        Seen::Tag(tag) => Suggestion { kind: Kind::Tag, id, text: tag.name },
    }
}

fn part(Segment { text, is_match }: Segment) -> HighlightPart {
    HighlightPart { text, is_match }
}
