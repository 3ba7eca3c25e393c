use sha2::{Digest, Sha256};

use super::Checksum;
use crate::media::{Intent, Kind};

const MIB: u64 = 1024 * 1024;

/// The largest upload in one request, in bytes; what may be larger goes in parts.
pub const MAX_SINGLE_REQUEST_BYTES: u64 = 64 * MIB;

/// What an uploader says of a file before they upload it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// What it is for.
    pub kind: Kind,
    /// One of [`content_types`].
    pub content_type: &'static str,
    /// In bytes.
    pub size: u64,
    /// Of the whole file.
    pub checksum: Checksum,
    /// What is to become of it.
    pub intent: Intent,
}

/// Types of a kind that are taken: what the workers read, and nothing that a browser would run.
pub const fn content_types(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Avatar | Kind::Photo => &PICTURES,
        Kind::Audio => &SOUNDS,
    }
}

const PICTURES: [&str; 6] = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif"];
const SOUNDS: [&str; 9] = [
    "audio/mp4",
    "audio/aac",
    "audio/mpeg",
    "audio/flac",
    "audio/ogg",
    "audio/wav",
    // What Android and browsers record by default.
    "audio/3gpp",
    "audio/amr",
    "audio/webm",
];

/// Why an upload is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeclaration {
    /// Not a type that is read.
    #[error("`contentType` of {kind} must be one of {}", content_types(*.kind).join(", "))]
    Type {
        /// What was to be uploaded.
        kind: Kind,
    },
    /// No bytes, or too many.
    #[error("`size` of {kind} must be from 1 to {} bytes", max_bytes(*.kind))]
    Size {
        /// What was to be uploaded.
        kind: Kind,
    },
}

/// The largest upload of a kind, in bytes.
pub const fn max_bytes(kind: Kind) -> u64 {
    match kind {
        Kind::Avatar | Kind::Photo => 25 * MIB,
        Kind::Audio => 2048 * MIB,
    }
}

impl Declaration {
    /// Checks what an uploader says against what is taken. Types are compared as they are
    /// registered: in lower case, without parameters.
    pub fn new(
        kind: Kind,
        content_type: &str,
        size: u64,
        checksum: Checksum,
        intent: Intent,
    ) -> Result<Self, InvalidDeclaration> {
        let known = content_types(kind).iter().find(|known| **known == content_type);
        let content_type = known.ok_or(InvalidDeclaration::Type { kind })?;
        if !(1..=max_bytes(kind)).contains(&size) {
            return Err(InvalidDeclaration::Size { kind });
        }
        Ok(Self { kind, content_type, size, checksum, intent })
    }

    /// All of it as S3 user metadata: what S3 gives back with the object.
    pub fn to_metadata(&self) -> Vec<(&'static str, String)> {
        let mut metadata = self.intent.to_metadata();
        metadata.push(("sha256", self.checksum.into()));
        metadata.push((FINGERPRINT_METADATA, self.fingerprint()));
        metadata
    }

    /// A text that is the same only for the same declaration: how a retry is told from another
    /// request under the same idempotency key.
    pub fn fingerprint(&self) -> String {
        let Self { kind, content_type, size, checksum, intent } = self;
        let Intent { post, visibility, file_name } = intent;
        let fields = [
            kind.as_str(),
            content_type,
            &size.to_string(),
            &String::from(*checksum),
            visibility.as_str(),
            // Neither may be empty, so an absent one is no value's text.
            post.as_ref().map_or("", |post| post.as_str()),
            file_name.as_ref().map_or("", |name| name.as_str()),
        ];
        let mut hash = Sha256::new();
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the object with this metadata was uploaded as declared here.
    pub fn matches_metadata<'a>(&self, metadata: impl Fn(&str) -> Option<&'a str>) -> bool {
        metadata(FINGERPRINT_METADATA) == Some(&self.fingerprint())
    }
}

/// The metadata that holds [`Declaration::fingerprint`].
pub const FINGERPRINT_METADATA: &str = "declaration";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::media::Visibility;

    fn declare(kind: Kind, content_type: &str, size: u64) -> Result<Declaration, InvalidDeclaration> {
        Declaration::new(kind, content_type, size, checksum("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), intent())
    }

    fn checksum(text: &str) -> Checksum {
        text.to_owned().try_into().expect("a checksum")
    }

    fn intent() -> Intent {
        Intent::default()
    }

    #[test]
    fn sizes_have_bounds() {
        for (kind, content_type) in [
            (Kind::Avatar, "image/png"),
            (Kind::Avatar, "image/heif"),
            (Kind::Photo, "image/heic"),
            (Kind::Audio, "audio/mp4"),
        ] {
            assert_eq!(declare(kind, content_type, 0), Err(InvalidDeclaration::Size { kind }));
            assert!(declare(kind, content_type, 1).is_ok());
            assert!(declare(kind, content_type, max_bytes(kind)).is_ok());
            assert_eq!(declare(kind, content_type, max_bytes(kind) + 1), Err(InvalidDeclaration::Size { kind }));
        }
        let refusal = declare(Kind::Avatar, "image/png", 0).expect_err("a refusal");
        assert_eq!(refusal.to_string(), "`size` of avatar must be from 1 to 26214400 bytes");
    }

    #[test]
    fn only_what_is_read_and_never_run() {
        for content_type in ["", "text/html", "image/svg+xml", "image/avif", "IMAGE/PNG", "image/png; a=b", "audio/mp4"]
        {
            let refusal = declare(Kind::Photo, content_type, 1);
            assert_eq!(refusal, Err(InvalidDeclaration::Type { kind: Kind::Photo }), "{content_type}");
        }
        let refusal = declare(Kind::Photo, "", 1).expect_err("a refusal");
        assert_eq!(
            refusal.to_string(),
            "`contentType` of photo must be one of image/jpeg, image/png, image/webp, image/gif, image/heic, image/heif"
        );
    }

    #[test]
    fn every_field_tells_declarations_apart() {
        let one = declare(Kind::Photo, "image/png", 1).expect("a declaration");
        let other_sum = checksum("n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=");
        let of = |intent| Declaration { intent, ..one.clone() };
        let post = "p".to_owned().try_into().ok();
        let file_name = "p".to_owned().try_into().ok();
        let declarations = [
            one.clone(),
            Declaration { kind: Kind::Avatar, ..one.clone() },
            Declaration { content_type: "image/gif", ..one.clone() },
            Declaration { size: 2, ..one.clone() },
            Declaration { checksum: other_sum, ..one.clone() },
            of(Intent { visibility: Visibility::Private, ..intent() }),
            of(Intent { post, ..intent() }),
            of(Intent { file_name, ..intent() }),
        ];
        let fingerprints: HashSet<_> = declarations.iter().map(Declaration::fingerprint).collect();
        assert_eq!(fingerprints.len(), declarations.len());
    }

    #[test]
    fn an_object_tells_what_it_was_declared_to_be() {
        let one = declare(Kind::Photo, "image/png", 1).expect("a declaration");
        let metadata = one.to_metadata();
        let value = |name: &str| metadata.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        assert!(one.matches_metadata(value));
        assert!(!Declaration { size: 2, ..one.clone() }.matches_metadata(value));
        assert!(!one.matches_metadata(|_| None));
        assert_eq!(Intent::from_metadata(value), one.intent);
    }
}
