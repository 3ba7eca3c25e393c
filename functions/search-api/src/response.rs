//! Items of responses.

use std::collections::HashMap;

use api::{Author, HighlightPart, SearchResult, Suggestion, Tag};
use domain::search::{Kind, Segment, segments};

use crate::visibility_filter::VisibleHit;

/// Search result for a hit. `highlight` is the indexed text with marks; `names` are those of authors and tags.
pub fn result(id: String, hit: VisibleHit, highlight: Option<&str>, names: &HashMap<String, String>) -> SearchResult {
    let highlight = |text: &str| Some(segments(text, highlight?)?.into_iter().map(part).collect());
    let with_name = |id: String| (names.get(&id).cloned(), id);
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
    match hit {
        VisibleHit::Person(person) => named(Kind::Person, person.name),
        VisibleHit::Tag(tag) => named(Kind::Tag, tag.name),
        VisibleHit::Story(story) => SearchResult {
            kind: Kind::Story,
            id,
            highlight: highlight(&story.title),
            title: Some(story.title),
            author: Some(with_name(story.author)).map(|(name, id)| Author { id, name }),
            published_at: Some(format!("{:.3}", story.published_at)),
            visibility: Some(story.visibility),
            tags: Some(story.tags.into_iter().map(with_name).map(|(name, id)| Tag { id, name }).collect()),
            name: None,
        },
    }
}

/// Suggestion for a hit.
pub fn suggestion(id: String, hit: VisibleHit) -> Suggestion {
    match hit {
        VisibleHit::Story(story) => Suggestion { kind: Kind::Story, id, text: story.title },
        VisibleHit::Person(person) => Suggestion { kind: Kind::Person, id, text: person.name },
        VisibleHit::Tag(tag) => Suggestion { kind: Kind::Tag, id, text: tag.name },
    }
}

fn part(Segment { text, is_match }: Segment) -> HighlightPart {
    HighlightPart { text, is_match }
}
