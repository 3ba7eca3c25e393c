use std::collections::{BTreeMap, BTreeSet};

use domain::media::MediaId;
use serde_json::Value;

/// The results of the checks.
#[derive(Debug, Default)]
pub struct Findings {
    /// Differences from the model.
    pub violations: Vec<String>,
    /// Number of displayed notifications.
    pub shown: u64,
    /// Number of notifications that replaced an earlier display of the same one.
    pub replaced: u64,
    /// Number of notifications that the model requires.
    pub required: u64,
    /// Number of entries of inboxes that the model requires.
    pub entries: u64,
    /// Number of files in state ready.
    pub ready: u64,
    /// Number of recordings among them.
    pub sounds: u64,
    /// Number of erased accounts.
    pub erasures: u64,
    /// Number of exports.
    pub exports: u64,
    /// Number of documents of this history in both indexes.
    pub documents: u64,
}

/// The expected state from earlier histories on the same stack.
#[derive(Debug, Default)]
pub struct EarlierHistories {
    /// Items in state ready.
    pub items: BTreeSet<MediaId>,
    /// Documents by index and id.
    pub documents: BTreeMap<&'static str, BTreeMap<String, Value>>,
}
