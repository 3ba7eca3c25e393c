use sha2::{Digest, Sha256};

use super::Change;

/// The longest group id and deduplication id that SNS and SQS take, in characters (Amazon SNS API
/// Reference, Publish; Amazon SQS API Reference, `SendMessage`).
const MAX_LENGTH: usize = 128;

impl Change {
    /// The FIFO group: `vertex/<id>` or `edge/<id>`, so that the changes of one entity stay in
    /// order and those of others do not wait for them.
    ///
    /// Where the entity's id does not fit in, its hash stands for it: `vertex/sha256:<hex>`.
    pub fn group_id(&self) -> String {
        let kind = self.kind.as_str();
        fitting(format!("{kind}/{}", self.entity_id)).unwrap_or_else(|group| format!("{kind}/sha256:{}", hex(&group)))
    }

    /// What a FIFO topic or queue knows a second delivery by, within five minutes: the change's
    /// [`id`](Self::id), or `sha256:<hex>` of it where it does not fit in.
    pub fn deduplication_id(&self, cluster: &str) -> String {
        fitting(self.id(cluster)).unwrap_or_else(|id| format!("sha256:{}", hex(&id)))
    }

    /// The same for a change that is published once more on purpose: another for each `replay`, so
    /// that the bus does not take it for the delivery that it knows.
    pub fn replayed_deduplication_id(&self, cluster: &str, replay: &str) -> String {
        fitting(format!("{}/{replay}", self.id(cluster))).unwrap_or_else(|id| format!("sha256:{}", hex(&id)))
    }
}

/// The alphabet is letters, digits and punctuation, all ASCII: no space, no Korean.
fn fitting(id: String) -> Result<String, String> {
    let is_valid = id.len() <= MAX_LENGTH && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_valid { Ok(id) } else { Err(id) }
}

fn hex(id: &str) -> String {
    format!("{:x}", Sha256::digest(id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::{
        EntityKind,
        model::{change, change_of as of},
    };

    #[test]
    fn a_plain_id_stands_for_itself() {
        let change = of(EntityKind::Vertex, "d2b5-7f");
        assert_eq!(change.group_id(), "vertex/d2b5-7f");
        assert_eq!(change.deduplication_id("main"), "main/12/1");
        assert_ne!(change.group_id(), of(EntityKind::Edge, "d2b5-7f").group_id());
    }

    #[test]
    fn a_korean_a_spaced_and_a_long_id_are_hashed() {
        let long = "x".repeat(MAX_LENGTH);
        let ids = ["이야기/1", "이야기/2", "\u{1100}\u{1161}", "\u{ac00}", "a b", long.as_str()];
        let groups = ids.map(|id| of(EntityKind::Vertex, id).group_id());
        // `printf 'vertex/\352\260\200' | sha256sum`
        assert_eq!(groups[3], "vertex/sha256:dd6a482262f972bcf1565d856694d0e9c69328c8436273796c2a93863099959e");
        assert!(groups.iter().all(|group| group.starts_with("vertex/sha256:")), "{groups:?}");
        assert!((1..groups.len()).all(|at| !groups[..at].contains(&groups[at])), "{groups:?}");
        assert!(of(EntityKind::Vertex, "1").deduplication_id("클러스터").starts_with("sha256:"));
    }

    proptest! {
        #[test]
        fn every_id_is_valid(change in change(), cluster: String, replay: String) {
            let replayed = change.replayed_deduplication_id(&cluster, &replay);
            prop_assert_ne!(&replayed, &change.deduplication_id(&cluster));
            for id in [change.group_id(), change.deduplication_id(&cluster), replayed] {
                prop_assert!(!id.is_empty() && id.len() <= MAX_LENGTH);
                prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte.is_ascii_punctuation()), "{}", id);
            }
        }
    }
}
