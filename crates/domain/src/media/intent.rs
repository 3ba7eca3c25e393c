use std::{collections::HashMap, fmt};

use icu_normalizer::ComposingNormalizerBorrowed;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString};

/// Longest file name in bytes of UTF-8, as in common file systems.
const FILE_NAME_BYTES: usize = 255;
/// Longest post id in bytes.
const POST_BYTES: usize = 128;

/// Characters to encode in a file name within S3 metadata, which is ASCII.
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The object's metadata, which the uploader declared.
///
/// S3 stores it together with the content. The upload's signature covers it, so the uploader cannot
/// change it, and every reader of the object gets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The `Content-Type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The intended use.
    pub intent: Intent,
}

impl Declared {
    /// Parses `Content-Type` and user metadata of an object, as S3 returns them.
    pub fn of(content_type: Option<&str>, metadata: Option<&HashMap<String, String>>) -> Self {
        let value = |name: &str| metadata.and_then(|metadata| metadata.get(name)).map(String::as_str);
        Self { content_type: content_type.map(str::to_owned), intent: Intent::from_metadata(value) }
    }
}

/// Intended use of an upload. The default applies to objects that were put without an upload request.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Story of the item, as the uploader declared it; the graph may differ.
    pub post: Option<Post>,
    /// Visibility of the item.
    pub visibility: Visibility,
    /// Original name of the file.
    pub file_name: Option<FileName>,
}

/// Audience of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, AsRefStr, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema), schema(as = ContentVisibility))]
pub enum Visibility {
    /// Every signed-in user.
    #[default]
    Public,
    /// The owner and the owner's followers.
    Followers,
    /// The owner only.
    Private,
}

impl Visibility {
    /// All values, the widest first.
    pub const ALL: [Self; 3] = [Self::Public, Self::Followers, Self::Private];

    /// Whether more people see an item of this visibility than one of `other`.
    pub fn is_wider_than(self, other: Self) -> bool {
        let place = |visibility| Self::ALL.iter().position(|known| *known == visibility);
        place(self) < place(other)
    }
}

/// Id of a story: 1 to 128 ASCII letters, digits and `-._~:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "document",
    derive(utoipa::ToSchema),
    schema(examples("story-1"), min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9._~:-]+$")
)]
pub struct Post(String);

/// The text is not an id of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`post` must have 1 to {POST_BYTES} ASCII letters, digits and -._~:")]
pub struct InvalidPost;

impl Post {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Post {
    type Error = InvalidPost;

    fn try_from(text: String) -> Result<Self, InvalidPost> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
        if (1..=POST_BYTES).contains(&text.len()) && text.bytes().all(fits) { Ok(Self(text)) } else { Err(InvalidPost) }
    }
}

impl From<Post> for String {
    fn from(post: Post) -> Self {
        post.0
    }
}

/// Name of a file: at most 255 bytes of UTF-8, in NFC, so that equal-looking names are equal. It is never
/// part of a key or path.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "document",
    derive(utoipa::ToSchema),
    schema(
        examples("한강.jpg"),
        min_length = 1,
        max_length = 255,
        pattern = r"^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+$"
    )
)]
pub struct FileName(String);

/// Why a text is not a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFileName {
    /// Empty, or too long.
    #[error("a file name must have 1 to {FILE_NAME_BYTES} bytes of UTF-8, in NFC")]
    Length,
    /// A path, or part of one.
    #[error("a file name must not contain / or \\ and must not be . or ..")]
    Path,
    /// Control characters, which may display a name as another.
    #[error("a file name must not contain control characters")]
    Control,
}

impl FileName {
    /// The name in NFC.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileName {
    type Error = InvalidFileName;

    fn try_from(text: String) -> Result<Self, InvalidFileName> {
        let name = ComposingNormalizerBorrowed::new_nfc().normalize(&text).into_owned();
        // Overrides of the writing direction display "gpj.exe" as "exe.jpg" (Unicode TR 36, 3.6).
        let hides = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if !(1..=FILE_NAME_BYTES).contains(&name.len()) {
            Err(InvalidFileName::Length)
        } else if name.contains(['/', '\\']) || name == "." || name == ".." {
            Err(InvalidFileName::Path)
        } else if name.contains(hides) {
            Err(InvalidFileName::Control)
        } else {
            Ok(Self(name))
        }
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

impl fmt::Debug for FileName {
    /// Hides the name: file names are personal data and must not be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileName(…)")
    }
}

impl Intent {
    /// S3 user metadata: names without `x-amz-meta-`, values in ASCII. At most 1 kB; S3's limit is 2 kB.
    pub fn to_metadata(&self) -> Vec<(&'static str, String)> {
        let mut metadata = vec![("visibility", self.visibility.as_ref().to_owned())];
        metadata.extend(self.post.as_ref().map(|post| ("post", post.0.clone())));
        let encoded = |name: &FileName| utf8_percent_encode(&name.0, FILE_NAME).to_string();
        metadata.extend(self.file_name.as_ref().map(|name| ("file-name", encoded(name))));
        metadata
    }

    /// Parses S3 user metadata; `value` returns the metadata of a name.
    ///
    /// Absent metadata has its default. Of invalid metadata, `post` and `file-name` are ignored; an
    /// unknown visibility is private.
    pub fn from_metadata<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Self {
        let visibility = match value("visibility") {
            None | Some("public") => Visibility::Public,
            Some("followers") => Visibility::Followers,
            Some(_) => Visibility::Private,
        };
        let decoded = |name| percent_decode_str(name).decode_utf8().ok()?.into_owned().try_into().ok();
        Self {
            post: value("post").and_then(|post| post.to_owned().try_into().ok()),
            visibility,
            file_name: value("file-name").and_then(decoded),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(metadata: &[(&str, &str)]) -> Intent {
        let metadata: HashMap<_, _> = metadata.iter().copied().collect();
        Intent::from_metadata(|name| metadata.get(name).copied())
    }

    fn name(text: &str) -> Result<FileName, InvalidFileName> {
        text.to_owned().try_into()
    }

    #[test]
    fn object_without_metadata_has_the_defaults() {
        assert_eq!(read(&[]), Intent { post: None, visibility: Visibility::Public, file_name: None });
    }

    #[test]
    fn invalid_metadata_is_ignored_and_unknown_visibility_is_private() {
        assert_eq!(read(&[("visibility", "Public")]).visibility, Visibility::Private);
        assert_eq!(read(&[("visibility", "")]).visibility, Visibility::Private);
        let intent = read(&[("post", "a b"), ("file-name", "%FF"), ("visibility", "followers")]);
        assert_eq!(intent, Intent { visibility: Visibility::Followers, ..Intent::default() });
        assert_eq!(read(&[("file-name", "..%2Fx")]).file_name, None);
    }

    #[test]
    fn file_names_are_normalized_to_nfc() {
        assert_eq!(name("\u{1112}\u{1161}\u{11ab}.jpg").expect("a name").as_str(), "\u{d55c}.jpg");
        // 64 syllables: 576 bytes in NFD, 192 in NFC.
        assert_eq!(name(&"\u{1112}\u{1161}\u{11ab}".repeat(64)).expect("a name").as_str().len(), 192);
    }

    #[test]
    fn invalid_file_names_are_rejected() {
        assert_eq!(name(""), Err(InvalidFileName::Length));
        assert_eq!(name(&"가".repeat(86)), Err(InvalidFileName::Length));
        for text in ["../x", "a/b", "a\\b", ".", ".."] {
            assert_eq!(name(text), Err(InvalidFileName::Path), "{text}");
        }
        for text in ["a\0", "a\nb", "\u{202e}gpj.exe", "\u{7f}"] {
            assert_eq!(name(text), Err(InvalidFileName::Control), "{text:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_file_name() {
        let intent = Intent { file_name: name("비밀.jpg").ok(), ..Intent::default() };
        assert!(!format!("{intent:?}").contains("비밀"));
    }

    #[test]
    fn invalid_post_ids_are_rejected() {
        for text in ["", "a b", "a#b", "글", "a/b", &"x".repeat(129)] {
            assert_eq!(Post::try_from(text.to_owned()), Err(InvalidPost), "{text}");
        }
        assert!(Post::try_from("01J:a-b._~".to_owned()).is_ok());
    }

    proptest! {
        #[test]
        fn metadata_round_trips(
            post in prop::option::of("[A-Za-z0-9._~:-]{1,128}"),
            visibility in prop_oneof![Just(Visibility::Public), Just(Visibility::Followers), Just(Visibility::Private)],
            file_name: Option<String>,
        ) {
            let intent = Intent {
                post: post.and_then(|post| post.try_into().ok()),
                visibility,
                file_name: file_name.and_then(|name| name.try_into().ok()),
            };
            let metadata = intent.to_metadata();
            let metadata: Vec<_> = metadata.iter().map(|(name, value)| (*name, value.as_str())).collect();
            prop_assert!(metadata.iter().all(|(_, value)| value.bytes().all(|byte| byte.is_ascii_graphic())));
            prop_assert!(metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() < 1_024);
            prop_assert_eq!(read(&metadata), intent);
        }
    }
}
