use std::fmt;

use serde::{Deserialize, Serialize};

/// What an upload is for; the first segment of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = MediaKind, description = "What something is for."))]
pub enum Kind {
    /// A person's picture.
    Avatar,
    /// A picture in a story.
    Photo,
    /// A story told, or what is heard in one.
    Audio,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Avatar, Self::Photo, Self::Audio];

    /// As it stands in keys, messages and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Avatar => "avatar",
            Self::Photo => "photo",
            Self::Audio => "audio",
        }
    }

    /// The kind that [`Kind::as_str`] calls so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The key of an original, taken apart: `<kind>/<owner>/<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginalKey<'a> {
    /// What it is for.
    pub kind: Kind,
    /// Whose it is: never empty.
    pub owner: &'a str,
}

/// The key does not look like `<kind>/<owner>/<name>`: nobody owns the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is not <kind>/<owner>/<name>")]
pub struct UnknownKey;

impl<'a> OriginalKey<'a> {
    /// Takes a decoded key apart. The name may hold anything, slashes included, but not be empty:
    /// consoles make such objects to show a folder.
    pub fn parse(key: &'a str) -> Result<Self, UnknownKey> {
        let mut parts = key.splitn(3, '/');
        let kind = parts.next().and_then(Kind::named).ok_or(UnknownKey)?;
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
    fn takes_a_key_apart() {
        let key = OriginalKey::parse("photo/mina/2026/한강 a+b.jpg");
        assert_eq!(key, Ok(OriginalKey { kind: Kind::Photo, owner: "mina" }));
        assert_eq!(OriginalKey::parse("avatar/u1/x").map(|key| key.kind), Ok(Kind::Avatar));
        assert_eq!(OriginalKey::parse("audio/u1/x").map(|key| key.kind), Ok(Kind::Audio));
    }

    #[test]
    fn refuses_what_nobody_owns() {
        for key in
            ["", "photo", "photo/", "photo/mina", "photo/mina/", "photo//x.jpg", "photo/mina/folder/", "other/mina/x"]
        {
            assert_eq!(OriginalKey::parse(key), Err(UnknownKey), "{key}");
        }
    }
}
