use sha2::{Digest, Sha256};

use super::{Checksum, LANE_METADATA, Lane};
use crate::media::{Intent, Kind};

const MIB: u64 = 1024 * 1024;

/// Largest upload in one request, in bytes: every picture. Larger files are uploaded in parts.
pub const MAX_SINGLE_REQUEST_BYTES: u64 = 96 * MIB;

/// A valid declaration of a file to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Avatar, photo or audio.
    pub kind: Kind,
    /// One of [`content_types`].
    pub content_type: &'static str,
    /// Size in bytes.
    pub size: u64,
    /// Checksum of the whole file.
    pub checksum: Checksum,
    /// Intended use.
    pub intent: Intent,
    /// Where it is processed. Not declared by the client, and no part of the fingerprint.
    pub lane: Lane,
}

/// Accepted content types of a kind: types that the workers decode, and none that a browser executes.
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
    // Default formats of Android's and browsers' recorders.
    "audio/3gpp",
    "audio/amr",
    "audio/webm",
];

/// Why a declaration is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeclaration {
    /// The content type is not accepted.
    #[error("`contentType` of {kind} must be one of {}", content_types(*.kind).join(", "))]
    Type {
        /// Kind of the declared file.
        kind: Kind,
    },
    /// The file is empty or too large.
    #[error("`size` of {kind} must be from 1 to {} bytes", max_bytes(*.kind))]
    Size {
        /// Kind of the declared file.
        kind: Kind,
    },
}

/// Largest upload of a kind, in bytes. A photo of 200 megapixels, which some phones take, has 30 to 80 MiB.
pub const fn max_bytes(kind: Kind) -> u64 {
    match kind {
        Kind::Avatar | Kind::Photo => MAX_SINGLE_REQUEST_BYTES,
        Kind::Audio => 2048 * MIB,
    }
}

impl Declaration {
    /// Validates a declaration. Content types must be in lower case and without parameters.
    pub fn new(
        kind: Kind,
        content_type: &str,
        size: u64,
        checksum: Checksum,
        intent: Intent,
    ) -> Result<Self, InvalidDeclaration> {
        let accepted = content_types(kind).iter().find(|accepted| **accepted == content_type);
        let content_type = accepted.ok_or(InvalidDeclaration::Type { kind })?;
        if !(1..=max_bytes(kind)).contains(&size) {
            return Err(InvalidDeclaration::Size { kind });
        }
        Ok(Self { kind, content_type, size, checksum, intent, lane: Lane::Fast })
    }

    /// S3 user metadata of the object, with which S3 returns the object.
    pub fn to_metadata(&self) -> Vec<(&'static str, String)> {
        let mut metadata = self.intent.to_metadata();
        metadata.push(("sha256", self.checksum.into()));
        metadata.push((FINGERPRINT_METADATA, self.fingerprint()));
        if self.lane != Lane::default() {
            metadata.push((LANE_METADATA, self.lane.as_ref().to_owned()));
        }
        metadata
    }

    /// A hash of all fields. It shows whether two requests with one idempotency key are the same.
    pub fn fingerprint(&self) -> String {
        let Self { kind, content_type, size, checksum, intent, lane: _ } = self;
        let Intent { post, visibility, file_name } = intent;
        let fields = [
            kind.as_ref(),
            content_type,
            &size.to_string(),
            &String::from(*checksum),
            visibility.as_ref(),
            // A present value is never empty, so the empty text means absent.
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

    /// Whether an object with this metadata was uploaded with this declaration.
    pub fn matches_metadata<'a>(&self, metadata: impl Fn(&str) -> Option<&'a str>) -> bool {
        metadata(FINGERPRINT_METADATA) == Some(&self.fingerprint())
    }
}

/// Name of the metadata with [`Declaration::fingerprint`].
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
    fn size_out_of_bounds_is_rejected() {
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
        let error = declare(Kind::Avatar, "image/png", 0).expect_err("size 0");
        assert_eq!(error.to_string(), "`size` of avatar must be from 1 to 100663296 bytes");
    }

    #[test]
    fn content_type_of_another_kind_or_form_is_rejected() {
        for content_type in ["", "text/html", "image/svg+xml", "image/avif", "IMAGE/PNG", "image/png; a=b", "audio/mp4"]
        {
            let declaration = declare(Kind::Photo, content_type, 1);
            assert_eq!(declaration, Err(InvalidDeclaration::Type { kind: Kind::Photo }), "{content_type}");
        }
        let error = declare(Kind::Photo, "", 1).expect_err("no type");
        assert_eq!(
            error.to_string(),
            "`contentType` of photo must be one of image/jpeg, image/png, image/webp, image/gif, image/heic, image/heif"
        );
    }

    #[test]
    fn fingerprint_depends_on_every_field() {
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
    fn metadata_of_an_object_matches_its_declaration_only() {
        let one = declare(Kind::Photo, "image/png", 1).expect("a declaration");
        let metadata = one.to_metadata();
        let value = |name: &str| metadata.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        assert!(one.matches_metadata(value));
        // A repeat may be for another lane.
        assert!(Declaration { lane: Lane::Slow, ..one.clone() }.matches_metadata(value));
        assert!(!Declaration { size: 2, ..one.clone() }.matches_metadata(value));
        assert!(!one.matches_metadata(|_| None));
        assert_eq!(Intent::from_metadata(value), one.intent);
    }
}
