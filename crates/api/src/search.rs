use domain::{media::Visibility, search::Kind};
use serde::Serialize;

/// Default number of items on a page of results.
pub const DEFAULT_SEARCH_LIMIT: usize = 20;
/// Most items on a page of results.
pub const MAX_SEARCH_LIMIT: usize = 50;
/// Longest id of a tag in a request, in characters (Unicode scalar values).
pub const MAX_TAG_CHARACTERS: usize = 512;
/// Most suggestions.
pub const MAX_SUGGESTIONS: usize = 10;

/// A page of search results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SearchResults {
    /// Results, the best first. A page may have fewer than `limit` items, or none, although there is a
    /// next page.
    #[cfg_attr(feature = "document", schema(max_items = 50))]
    pub items: Vec<SearchResult>,
    /// `cursor` of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(format = "cursor"))]
    pub next: Option<String>,
}

/// A search result. A story has `title`, `author`, `publishedAt`, `visibility` and `tags`; a person or
/// tag has `name`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SearchResult {
    /// Kind of the result.
    pub kind: Kind,
    /// Id in the graph. The id of a person is the `sub` of their account.
    pub id: String,
    /// Title of the story.
    pub title: Option<String>,
    /// Author of the story.
    pub author: Option<Author>,
    /// Time at which the author told the story: RFC 3339 in UTC, with milliseconds. All times have the same
    /// length, so they sort as text.
    #[cfg_attr(feature = "document", schema(format = DateTime))]
    pub published_at: Option<String>,
    /// Audience of the story.
    pub visibility: Option<Visibility>,
    /// Tags of the story, the earliest first.
    #[cfg_attr(feature = "document", schema(max_items = 10))]
    pub tags: Option<Vec<Tag>>,
    /// Name of the person or tag.
    pub name: Option<String>,
    /// The whole title or name in parts, with the matching parts marked. Absent if the text has changed
    /// since it was indexed.
    pub highlight: Option<Vec<HighlightPart>>,
}

/// Author of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Author {
    /// `sub` of the author's account.
    pub id: String,
    /// Name of the author. Absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Tag of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Tag {
    /// Id of the tag, for the parameter `tag` of a search.
    pub id: String,
    /// Name of the tag. Absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Part of a title or name. Parts need no escaping, unlike markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct HighlightPart {
    /// Text of the part.
    pub text: String,
    /// Whether it matches the query.
    #[serde(rename = "match")]
    pub is_match: bool,
}

/// Completions of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Suggestions {
    /// Suggestions, the best first.
    #[cfg_attr(feature = "document", schema(max_items = 10))]
    pub items: Vec<Suggestion>,
}

/// A completion of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Suggestion {
    /// Kind of the suggestion.
    pub kind: Kind,
    /// Id in the graph.
    pub id: String,
    /// Title of a story, or name of a person or tag.
    pub text: String,
}
