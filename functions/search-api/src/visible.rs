//! What of the hits the caller may see, as it is now.
//!
//! The index is behind by up to a second and the caches of its copies; the table is not. So the index
//! only finds, and what is shown, and whether, the table says.

use std::collections::{BTreeSet, HashMap};

use domain::{
    media::Relation,
    search::{Content, Person, Story, Tag},
};
use function_kit::failure::Failure;
use opensearch::Hit;
use store::{relations::Relations, search::SearchTable};

/// Looks things up.
pub struct Visible {
    pub entries: SearchTable,
    pub relations: Relations,
}

/// Something that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Story(Story),
    Person(Person),
    Tag(Tag),
}

impl Seen {
    /// Ids of what is shown with it by name: a story's author and tags.
    pub fn mentions(&self) -> impl Iterator<Item = &str> {
        let story = match self {
            Self::Story(story) => Some(story),
            Self::Person(_) | Self::Tag(_) => None,
        };
        story.into_iter().flat_map(|story| story.tags.iter().chain([&story.author])).map(String::as_str)
    }

    /// Whether it has the tag of this id.
    pub fn is_tagged(&self, tag: &str) -> bool {
        matches!(self, Self::Story(story) if story.tags.iter().any(|own| own == tag))
    }
}

impl Visible {
    /// Those of the hits that `caller` may see, by id: one call to the table of entries, and one to the
    /// audience if something is for followers.
    pub async fn of(&self, caller: &str, hits: &[Hit]) -> Result<HashMap<String, Seen>, Failure> {
        let entries = self.entries.get(hits.iter().map(|hit| hit.id.as_str())).await?;
        let contents: HashMap<_, _> = entries.into_iter().map(|(id, entry)| (id, Content::of(&entry))).collect();
        let unclear: BTreeSet<_> = contents.values().filter_map(|content| unclear(caller, content)).collect();
        let relations = self.relations.among(caller, &unclear).await?;
        let relations: HashMap<String, Relation> =
            relations.into_iter().map(|(author, relation)| (author.to_owned(), relation)).collect();
        let seen = contents.into_iter().filter_map(|(id, content)| Some((id, seen(caller, content, &relations)?)));
        Ok(seen.collect())
    }

    /// The names of persons and tags, as far as they have one.
    pub async fn names(&self, ids: impl IntoIterator<Item = &str>) -> Result<HashMap<String, String>, Failure> {
        let entries = self.entries.get(ids).await?;
        let named = entries.into_iter().filter_map(|(id, entry)| match Content::of(&entry) {
            Content::Person(Person { name }) | Content::Tag(Tag { name }) => Some((id, name)),
            Content::Story(_) | Content::NotSearchable => None,
        });
        Ok(named.collect())
    }
}

/// The author on whom it depends whether `caller` sees it.
fn unclear<'a>(caller: &str, content: &'a Content) -> Option<&'a str> {
    let Content::Story(story) = content else { return None };
    story.is_visible_to(caller).is_none().then_some(story.author.as_str())
}

fn seen(caller: &str, content: Content, relations: &HashMap<String, Relation>) -> Option<Seen> {
    match content {
        Content::Story(story) => {
            let relation = || relations.get(&story.author).copied().unwrap_or(Relation::Stranger);
            let is_shown = story.is_visible_to(caller).unwrap_or_else(|| story.is_visible_to_relation(relation()));
            is_shown.then_some(Seen::Story(story))
        }
        Content::Person(person) => Some(Seen::Person(person)),
        Content::Tag(tag) => Some(Seen::Tag(tag)),
        Content::NotSearchable => None,
    }
}
