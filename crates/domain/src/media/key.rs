use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumString};

/// Kind of an upload: the first segment of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, AsRefStr, Display, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = MediaKind, description = "Kind of an item."))]
pub enum Kind {
    /// A picture of a person.
    Avatar,
    /// A picture in a story.
    Photo,
    /// A recording in a story.
    Audio,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Avatar, Self::Photo, Self::Audio];
}

/// Parts of the key of an original: `<kind>/<owner>/<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginalKey<'a> {
    /// Kind of the item.
    pub kind: Kind,
    /// `sub` of the owner's account; never empty.
    pub owner: &'a str,
}

/// The key is not `<kind>/<owner>/<name>`, so the object has no owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is not <kind>/<owner>/<name>")]
pub struct UnknownKey;

impl<'a> OriginalKey<'a> {
    /// Parses a decoded key. The name may contain any character, but must not be empty or end with a
    /// slash: consoles create such objects for folders.
    pub fn parse(key: &'a str) -> Result<Self, UnknownKey> {
        let mut parts = key.splitn(3, '/');
        let kind = parts.next().and_then(|kind| kind.parse().ok()).ok_or(UnknownKey)?;
        match (parts.next(), parts.next()) {
            (Some(owner), Some(name)) if !owner.is_empty() && !name.is_empty() && !name.ends_with('/') => {
                Ok(Self { kind, owner })
            }
            _ => Err(UnknownKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_has_kind_and_owner() {
        let key = OriginalKey::parse("photo/mina/2026/한강 a+b.jpg");
        assert_eq!(key, Ok(OriginalKey { kind: Kind::Photo, owner: "mina" }));
        assert_eq!(OriginalKey::parse("avatar/u1/x").map(|key| key.kind), Ok(Kind::Avatar));
        assert_eq!(OriginalKey::parse("audio/u1/x").map(|key| key.kind), Ok(Kind::Audio));
    }

    #[test]
    fn key_without_kind_owner_or_name_is_rejected() {
        for key in
            ["", "photo", "photo/", "photo/mina", "photo/mina/", "photo//x.jpg", "photo/mina/folder/", "other/mina/x"]
        {
            assert_eq!(OriginalKey::parse(key), Err(UnknownKey), "{key}");
        }
    }
}
