use domain::{media::Visibility, search::Kind};
use serde::Serialize;

/// Items on a page of results if the client does not say.
pub const DEFAULT_SEARCH_LIMIT: usize = 20;
/// Items on a page of results at most.
pub const MAX_SEARCH_LIMIT: usize = 50;
/// The longest id of a tag that is asked for, in characters (Unicode scalar values).
pub const MAX_TAG_CHARACTERS: usize = 512;
/// Suggestions at most.
pub const MAX_SUGGESTIONS: usize = 10;

/// A page of what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SearchResults {
    /// The best first. There can be fewer than were asked for, even none, and still a next page.
    #[cfg_attr(feature = "document", schema(max_items = 50))]
    pub items: Vec<SearchResult>,
    /// The `cursor` of the page that follows. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, format = "cursor"))]
    pub next: Option<String>,
}

/// Something found. A story has `title`, `author`, `publishedAt`, `visibility` and `tags`; a person and
/// a tag have `name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct SearchResult {
    /// What it is.
    pub kind: Kind,
    /// Names it in the graph. A person's is the `sub` of their account.
    pub id: String,
    /// What a story is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub title: Option<String>,
    /// Who told the story.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub author: Option<Author>,
    /// When the story was told: RFC 3339 in UTC, to the millisecond. All are of one length, so they
    /// may be sorted as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, format = DateTime))]
    pub published_at: Option<String>,
    /// Who may see the story.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub visibility: Option<Visibility>,
    /// What the story is tagged with, the first tag first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false, max_items = 10))]
    pub tags: Option<Vec<Tag>>,
    /// What a person or a tag is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub name: Option<String>,
    /// The title or the name in parts, which together are the whole of it. Absent if it has changed
    /// since it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub highlight: Option<Vec<HighlightPart>>,
}

/// Who told a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Author {
    /// The `sub` of their account.
    pub id: String,
    /// What they are called, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub name: Option<String>,
}

/// What a story is tagged with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Tag {
    /// Names it in the graph, and in `tag` of a search.
    pub id: String,
    /// What it is called, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "document", schema(nullable = false))]
    pub name: Option<String>,
}

/// A part of a text. Parts and not tags: a text may hold anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct HighlightPart {
    /// What it says.
    pub text: String,
    /// Whether it is what was looked for.
    #[serde(rename = "match")]
    pub is_match: bool,
}

/// What a query may go on to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Suggestions {
    /// The best first.
    #[cfg_attr(feature = "document", schema(max_items = 10))]
    pub items: Vec<Suggestion>,
}

/// A text to go on to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub struct Suggestion {
    /// What it is.
    pub kind: Kind,
    /// Names it in the graph.
    pub id: String,
    /// A story's title, or a person's or a tag's name.
    pub text: String,
}
