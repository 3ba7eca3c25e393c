use std::{collections::HashMap, fmt};

use icu_normalizer::ComposingNormalizerBorrowed;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The longest file name, in bytes of UTF-8: what file systems take.
const FILE_NAME_BYTES: usize = 255;
/// The longest name of a post, in bytes.
const POST_BYTES: usize = 128;

/// What stays as it is in a file name within metadata, which is ASCII.
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the uploader says about an object, beside its content.
///
/// It travels in the object's own metadata, which S3 keeps together with the content: who uploads
/// cannot change it without breaking the signature, and who reads the object has it for certain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Its `Content-Type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What is to become of it.
    pub intent: Intent,
}

impl Declared {
    /// Reads what S3 answers of an object: its `Content-Type` and its user metadata.
    pub fn of(content_type: Option<&str>, metadata: Option<&HashMap<String, String>>) -> Self {
        let value = |name: &str| metadata.and_then(|metadata| metadata.get(name)).map(String::as_str);
        Self { content_type: content_type.map(str::to_owned), intent: Intent::from_metadata(value) }
    }
}

/// What is to become of an upload; the default is for objects that were put by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The story that it belongs to: what its uploader says, not what the graph knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// Who may see it.
    pub visibility: Visibility,
    /// What the file was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<FileName>,
}

/// Who may see an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "document", derive(utoipa::ToSchema))]
pub enum Visibility {
    /// Everybody who is signed in.
    #[default]
    Public,
    /// Its owner, and who follows its owner.
    Followers,
    /// Its owner.
    Private,
}

impl Visibility {
    /// All of them, the widest first.
    pub const ALL: [Self; 3] = [Self::Public, Self::Followers, Self::Private];

    /// As it stands in metadata, messages and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Followers => "followers",
            Self::Private => "private",
        }
    }
}

/// Names a story: 1 to 128 of ASCII's letters, digits and `-._~:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "document",
    derive(utoipa::ToSchema),
    schema(examples("story-1"), min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9._~:-]+$")
)]
pub struct Post(String);

/// The text cannot name a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a post is named by 1 to {POST_BYTES} of ASCII's letters, digits and -._~:")]
pub struct InvalidPost;

impl Post {
    /// The name itself.
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

/// A file's name, in NFC so that what looks the same is the same; at most 255 bytes of UTF-8. It is never
/// part of a key or a path.
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

/// Why a text is not taken for a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFileName {
    /// Nothing, or more than a file system takes.
    #[error("a file name has 1 to {FILE_NAME_BYTES} bytes of UTF-8, in NFC")]
    Length,
    /// It would lead somewhere else if somebody made a path of it.
    #[error("a file name is no path: it has neither / nor \\ and is not . or ..")]
    Path,
    /// It would not be shown as what it is.
    #[error("a file name has no control characters")]
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
        // Overrides of the writing direction show "gpj.exe" as "exe.jpg" (Unicode TR 36, 3.6).
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
    /// Names of files tell about people: they are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileName(…)")
    }
}

impl Intent {
    /// As S3 user metadata: names without `x-amz-meta-`, values in ASCII, at most 1 kB of S3's 2.
    pub fn to_metadata(&self) -> Vec<(&'static str, String)> {
        let mut metadata = vec![("visibility", self.visibility.as_str().to_owned())];
        metadata.extend(self.post.as_ref().map(|post| ("post", post.0.clone())));
        let encoded = |name: &FileName| utf8_percent_encode(&name.0, FILE_NAME).to_string();
        metadata.extend(self.file_name.as_ref().map(|name| ("file-name", encoded(name))));
        metadata
    }

    /// Reads it back; `value` gives the metadata of a name.
    ///
    /// What is absent has its default. What cannot be read was not written here: a post or a file
    /// name is then left out, but an object that asks for an unknown visibility is shown to nobody
    /// but its owner.
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
    fn an_object_without_metadata_has_the_defaults() {
        assert_eq!(read(&[]), Intent { post: None, visibility: Visibility::Public, file_name: None });
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_never_shown_to_more() {
        assert_eq!(read(&[("visibility", "Public")]).visibility, Visibility::Private);
        assert_eq!(read(&[("visibility", "")]).visibility, Visibility::Private);
        let intent = read(&[("post", "a b"), ("file-name", "%FF"), ("visibility", "followers")]);
        assert_eq!(intent, Intent { visibility: Visibility::Followers, ..Intent::default() });
        assert_eq!(read(&[("file-name", "..%2Fx")]).file_name, None);
    }

    #[test]
    fn file_names_are_composed() {
        assert_eq!(name("\u{1112}\u{1161}\u{11ab}.jpg").expect("a name").as_str(), "\u{d55c}.jpg");
        // 64 syllables: 576 bytes taken apart, 192 put together.
        assert_eq!(name(&"\u{1112}\u{1161}\u{11ab}".repeat(64)).expect("a name").as_str().len(), 192);
    }

    #[test]
    fn refuses_names_that_are_not_names() {
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
    fn a_file_name_does_not_reach_logs() {
        let intent = Intent { file_name: name("비밀.jpg").ok(), ..Intent::default() };
        assert!(!format!("{intent:?}").contains("비밀"));
    }

    #[test]
    fn refuses_posts_that_would_not_do_as_keys() {
        for text in ["", "a b", "a#b", "글", "a/b", &"x".repeat(129)] {
            assert_eq!(Post::try_from(text.to_owned()), Err(InvalidPost), "{text}");
        }
        assert!(Post::try_from("01J:a-b._~".to_owned()).is_ok());
    }

    proptest! {
        #[test]
        fn every_intent_survives_its_metadata(
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
