use serde::Serialize;

/// Kind of a search result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = SearchKind, description = "Kind of a search result."))]
pub enum Kind {
    /// A story, found by its title.
    Story,
    /// A person, found by their name.
    Person,
    /// A tag, found by its name.
    Tag,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Story, Self::Person, Self::Tag];

    /// The name in the index and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Story => "story",
            Self::Person => "person",
            Self::Tag => "tag",
        }
    }

    /// The kind of a name from [`Kind::as_str`].
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
