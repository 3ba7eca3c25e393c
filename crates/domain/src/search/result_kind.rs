use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

/// Kind of a search result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
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
}
