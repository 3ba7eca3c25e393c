use sha2::{Digest, Sha256};

use super::Change;

/// Longest group id and deduplication id in characters (Amazon SNS API Reference, `Publish`; Amazon SQS
/// API Reference, `SendMessage`).
const MAX_LENGTH: usize = 128;

impl Change {
    /// The FIFO group: `vertex/<id>` or `edge/<id>`. Changes of one entity stay in order; changes of
    /// other entities do not wait for them.
    ///
    /// An id that is too long or not ASCII is replaced by a hash: `vertex/sha256:<hex>`.
    pub fn group_id(&self) -> String {
        let kind = self.kind.as_str();
        valid(format!("{kind}/{}", self.entity_id)).unwrap_or_else(|group| format!("{kind}/sha256:{}", hex(&group)))
    }

    /// The id by which a FIFO topic or queue detects duplicates within five minutes: the change's
    /// [`id`](Self::id), or `sha256:<hex>` of it if it is too long or not ASCII.
    pub fn deduplication_id(&self, cluster: &str) -> String {
        fifo_id(self.id(cluster))
    }

    /// The deduplication id of a change that an operator publishes again. It differs per `replay`, so
    /// the event bus does not drop the change as a duplicate.
    pub fn replayed_deduplication_id(&self, cluster: &str, replay: &str) -> String {
        fifo_id(format!("{}/{replay}", self.id(cluster)))
    }
}

/// `id` as a FIFO group or deduplication id: `sha256:<hex>` of it if it is too long or not ASCII.
pub fn fifo_id(id: String) -> String {
    valid(id).unwrap_or_else(|id| format!("sha256:{}", hex(&id)))
}

/// The id if SNS and SQS accept it, else the id as the error. They accept ASCII letters, digits and
/// punctuation.
fn valid(id: String) -> Result<String, String> {
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
    fn plain_id_is_used_as_it_is() {
        let change = of(EntityKind::Vertex, "d2b5-7f");
        assert_eq!(change.group_id(), "vertex/d2b5-7f");
        assert_eq!(change.deduplication_id("main"), "main/12/1");
        assert_ne!(change.group_id(), of(EntityKind::Edge, "d2b5-7f").group_id());
    }

    #[test]
    fn korean_spaced_and_long_ids_are_hashed() {
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
        fn any_id_is_valid(change in change(), cluster: String, replay: String) {
            let replayed = change.replayed_deduplication_id(&cluster, &replay);
            prop_assert_ne!(&replayed, &change.deduplication_id(&cluster));
            for id in [change.group_id(), change.deduplication_id(&cluster), replayed] {
                prop_assert!(!id.is_empty() && id.len() <= MAX_LENGTH);
                prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte.is_ascii_punctuation()), "{}", id);
            }
        }
    }
}
