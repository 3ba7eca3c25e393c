//! How far a copy has come, as it is stored between two turns.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::personal_data::PageKey;

use crate::archive::ArchiveState;

/// How often a copy may begin again, after its upload was lost or a file was erased in the middle.
const MAX_RESTARTS: u32 = 3;

/// Everything that is needed to continue a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is written next.
    pub stage: Stage,
    /// The zip file so far.
    pub archive: ArchiveState,
    /// Id of the multipart upload.
    pub upload: Option<String>,
    /// Number of its parts.
    pub parts: u32,
    /// Hash of the parts' `ETag`s, so that a part of another turn is noticed.
    pub parts_hash: String,
    /// Number of stored pieces of the directory.
    pub directory_pieces: u32,
    /// Name of the stored bytes that are too few for a part.
    pub rest: Option<String>,
    /// How often the copy has begun again.
    #[serde(default)]
    pub restarts: u32,
}

/// What is written next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The beginning of the document, with the profile.
    #[default]
    Profile,
    /// Rows of a store.
    Rows {
        /// Its place in [`crate::stores::STORES`].
        store: usize,
        /// The row after which the next page starts.
        after: Option<PageKey>,
        /// Whether the document has rows of the store.
        has_rows: bool,
    },
    /// Originals of a kind.
    Originals {
        /// Its place among the kinds.
        kind: usize,
        /// Key of the last finished one.
        after: Option<String>,
        /// The one that is being copied.
        open: Option<OpenOriginal>,
    },
    /// The directory.
    Directory {
        /// Number of its pieces that are in the file.
        pieces: u32,
    },
    /// All bytes are in parts.
    Complete,
}

/// An original that is being copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOriginal {
    /// Its key.
    pub key: String,
    /// Its `ETag`.
    pub version: String,
    /// Its bytes.
    pub size: u64,
}

impl Progress {
    /// The progress after the part with this `ETag`.
    pub fn add_part(&mut self, etag: &str) {
        self.parts += 1;
        self.parts_hash = next_hash(&self.parts_hash, etag);
    }

    /// Whether parts with these `ETag`s, in this order, are those of this progress.
    pub fn has_parts<'a>(&self, etags: impl Iterator<Item = &'a str>) -> bool {
        let (mut count, mut hash) = (0, String::new());
        for etag in etags {
            count += 1;
            hash = next_hash(&hash, etag);
        }
        count == self.parts && hash == self.parts_hash
    }

    /// A new beginning; `None` if there were too many.
    pub fn restart(&self) -> Option<Self> {
        let restarts = self.restarts.checked_add(1).filter(|restarts| *restarts <= MAX_RESTARTS)?;
        Some(Self { restarts, ..Self::default() })
    }
}

fn next_hash(before: &str, etag: &str) -> String {
    format!("{:x}", Sha256::digest(format!("{before}\n{etag}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_recognized_by_their_order_and_number() {
        let mut progress = Progress::default();
        ["a", "b"].into_iter().for_each(|etag| progress.add_part(etag));
        assert!(progress.has_parts(["a", "b"].into_iter()));
        for other in [&["b", "a"][..], &["a"], &["a", "b", "c"], &["a", "c"], &[]] {
            assert!(!progress.has_parts(other.iter().copied()), "{other:?}");
        }
        assert!(Progress::default().has_parts([].into_iter()));
    }

    #[test]
    fn restarts_have_a_bound() {
        let mut progress = Progress { parts: 3, ..Progress::default() };
        for restarts in 1..=MAX_RESTARTS {
            progress = progress.restart().expect("a restart");
            assert_eq!((progress.restarts, progress.parts), (restarts, 0));
        }
        assert_eq!(progress.restart(), None);
    }

    proptest! {
        #[test]
        fn malformed_progress_is_read_or_rejected(
            text in malformed_inputs::documents(&[
                r#"{"stage":{"rows":{"store":2,"after":{"id":"a"},"has_rows":true}},"archive":{"written":9,"entries":0,"directory_size":0,"open":{"name":"data.json","modified":7,"is_zip64":false,"offset":0,"crc32":1,"size":2,"stored":7},"directory_offset":null},"upload":"u","parts":1,"parts_hash":"h","directory_pieces":0,"rest":null}"#,
                r#"{"stage":{"originals":{"kind":1,"after":"photo/m/a","open":{"key":"photo/m/b","version":"v","size":5}}},"archive":{"written":9,"entries":0,"directory_size":0,"open":null,"directory_offset":null},"upload":null,"parts":0,"parts_hash":"","directory_pieces":0,"rest":"r"}"#,
            ]),
        ) {
            if let Ok(progress) = serde_json::from_str::<Progress>(&text) {
                let json = serde_json::to_string(&progress).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<Progress>(&json).expect("a progress"), progress);
            }
        }
    }
}
