use serde::Serialize;

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = SearchKind, description = "What can be found."))]
pub enum Kind {
    /// Stories, by their titles.
    Story,
    /// Persons, by their names.
    Person,
    /// What stories are tagged with, by its name.
    Tag,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Story, Self::Person, Self::Tag];

    /// As in the index and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Story => "story",
            Self::Person => "person",
            Self::Tag => "tag",
        }
    }

    /// The kind that [`Kind::as_str`] calls so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
