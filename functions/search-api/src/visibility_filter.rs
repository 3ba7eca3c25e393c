//! What the caller may see.
//!
//! The query of the index leaves out all else. But the index lags behind the tables by up to a second, so it only finds ids:
//! content comes from the tables, and hits that have been hidden since are removed.

use std::collections::{BTreeSet, HashMap};

use domain::{
    media::Relation,
    search::{Content, Person, Story, Tag},
};
use function_kit::failure::Failure;
use opensearch::Hit;
use store::{follows::FollowsTable, relations::Relations, search::SearchTable};

/// Filter with the tables that it reads.
pub struct VisibilityFilter {
    pub entries: SearchTable,
    pub relations: Relations,
    /// Whom the caller follows, for the query.
    pub follows: FollowsTable,
}

/// Current content of a hit that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisibleHit {
    Story(Story),
    Person(Person),
    Tag(Tag),
}

impl VisibleHit {
    /// Ids of a story's author and tags, whose names belong to the response.
    pub fn referenced_ids(&self) -> impl Iterator<Item = &str> {
        let story = match self {
            Self::Story(story) => Some(story),
            Self::Person(_) | Self::Tag(_) => None,
        };
        story.into_iter().flat_map(|story| story.tags.iter().chain([&story.author])).map(String::as_str)
    }

    /// Whether the hit is a story with this tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        matches!(self, Self::Story(story) if story.tags.iter().any(|own| own == tag))
    }
}

impl VisibilityFilter {
    /// The hits that `caller` may see, by id. Reads the search table, and the table `audience` if relations matter.
    pub async fn visible(&self, caller: &str, hits: &[Hit]) -> Result<HashMap<String, VisibleHit>, Failure> {
        let entries = self.entries.get(hits.iter().map(|hit| hit.id.as_str())).await?;
        let contents: HashMap<_, _> = entries.into_iter().map(|(id, entry)| (id, Content::of(&entry))).collect();
        let authors: BTreeSet<_> = contents.values().filter_map(|content| author_to_check(caller, content)).collect();
        let relations = self.relations.among(caller, &authors).await?;
        let relations: HashMap<String, Relation> =
            relations.into_iter().map(|(author, relation)| (author.to_owned(), relation)).collect();
        let visible = |(id, content)| Some((id, visible_hit(caller, content, &relations)?));
        Ok(contents.into_iter().filter_map(visible).collect())
    }

    /// The names of people and tags, without those that have none.
    pub async fn names(&self, ids: impl IntoIterator<Item = &str>) -> Result<HashMap<String, String>, Failure> {
        let entries = self.entries.get(ids).await?;
        let named = entries.into_iter().filter_map(|(id, entry)| match Content::of(&entry) {
            Content::Person(Person { name }) | Content::Tag(Tag { name }) => Some((id, name)),
            Content::Story(_) | Content::NotSearchable => None,
        });
        Ok(named.collect())
    }
}

/// The author, if visibility depends on the caller's relation to them.
fn author_to_check<'a>(caller: &str, content: &'a Content) -> Option<&'a str> {
    let Content::Story(story) = content else { return None };
    story.is_visible_to(caller).is_none().then_some(story.author.as_str())
}

fn visible_hit(caller: &str, content: Content, relations: &HashMap<String, Relation>) -> Option<VisibleHit> {
    match content {
        Content::Story(story) => {
            let relation = || relations.get(&story.author).copied().unwrap_or(Relation::Stranger);
            let is_visible = story.is_visible_to(caller).unwrap_or_else(|| story.is_visible_to_relation(relation()));
            is_visible.then_some(VisibleHit::Story(story))
        }
        Content::Person(person) => Some(VisibleHit::Person(person)),
        Content::Tag(tag) => Some(VisibleHit::Tag(tag)),
        Content::NotSearchable => None,
    }
}
