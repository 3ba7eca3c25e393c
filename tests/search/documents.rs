//! Documents of the search index.

use domain::{
    media::Visibility,
    search::{Content, Document, Person, Story},
};

pub fn dated_story(id: &str, title: &str, visibility: Visibility, at: &str, version: u64) -> Document {
    let published_at = at.parse().expect("a time");
    let story = Story { title: title.into(), author: "mina".into(), published_at, visibility, tags: vec![] };
    Document { vertex: id.into(), version, content: Content::Story(story) }
}

pub fn story(id: &str, title: &str) -> Document {
    dated_story(id, title, Visibility::Public, "2026-11-22T00:00:00Z", 1)
}

pub fn person(id: &str, name: &str) -> Document {
    Document { vertex: id.into(), version: 1, content: Content::Person(Person { name: name.into() }) }
}

pub fn tombstone(id: &str, version: u64) -> Document {
    Document { vertex: id.into(), version, content: Content::NotSearchable }
}
