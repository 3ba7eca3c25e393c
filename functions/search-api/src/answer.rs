//! What clients are answered.

use api::{Author, HighlightPart, SearchResult, Suggestion};
use domain::search::{Kind, Segment, segments};

use crate::visible::Seen;

/// What a client sees of something found; `marked` is its text as it was found.
pub fn result(id: String, seen: Seen, marked: Option<&str>, author_name: Option<String>) -> SearchResult {
    let highlight = |text: &str| Some(segments(text, marked?)?.into_iter().map(part).collect());
    match seen {
        Seen::Story(story) => SearchResult {
            kind: Kind::Story,
            id,
            highlight: highlight(&story.title),
            title: Some(story.title),
            author: Some(Author { id: story.author, name: author_name }),
            published_at: Some(format!("{:.3}", story.published_at)),
            visibility: Some(story.visibility),
            name: None,
        },
        Seen::Person(person) => SearchResult {
            kind: Kind::Person,
            id,
            highlight: highlight(&person.name),
            name: Some(person.name),
            title: None,
            author: None,
            published_at: None,
            visibility: None,
        },
    }
}

/// What a client sees of something that a query may go on to be.
pub fn suggestion(id: String, seen: Seen) -> Suggestion {
    match seen {
        Seen::Story(story) => Suggestion { kind: Kind::Story, id, text: story.title },
        Seen::Person(person) => Suggestion { kind: Kind::Person, id, text: person.name },
    }
}

fn part(Segment { text, is_match }: Segment) -> HighlightPart {
    HighlightPart { text, is_match }
}
