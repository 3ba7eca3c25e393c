use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// A fault that an emulator is to show, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order<F> {
    /// What goes wrong.
    pub fault: F,
    /// For how many requests; without it, until faults are cleared.
    #[serde(default = "unlimited", skip_serializing_if = "Option::is_none")]
    pub times: Option<NonZeroU32>,
}

// `#[serde(default)]` would ask `F` for a default.
fn unlimited() -> Option<NonZeroU32> {
    None
}

/// A fault as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Standing<F> {
    /// What goes wrong.
    pub fault: F,
    /// For how many more requests, if not until faults are cleared.
    pub left: Option<u32>,
    /// How many it has changed.
    pub hits: u64,
}

/// The faults in force, the oldest first; those that are used up stay to be counted.
#[derive(Debug)]
pub struct Standings<F>(Vec<Standing<F>>);

impl<F> Default for Standings<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Clone> Standings<F> {
    /// Adds one.
    pub fn order(&mut self, order: Order<F>) {
        self.0.push(Standing { fault: order.fault, left: order.times.map(NonZeroU32::get), hits: 0 });
    }

    /// Forgets all, also the counts.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All, also those that are used up.
    pub fn all(&self) -> &[Standing<F>] {
        &self.0
    }

    /// Those that are not used up.
    pub fn in_force(&self) -> impl Iterator<Item = &F> {
        self.0.iter().filter(|standing| standing.left != Some(0)).map(|standing| &standing.fault)
    }

    /// Takes the oldest in force that is meant, and counts it.
    pub fn take(&mut self, is_meant: impl Fn(&F) -> bool) -> Option<F> {
        let standing = self.0.iter_mut().find(|standing| standing.left != Some(0) && is_meant(&standing.fault))?;
        standing.left = standing.left.map(|left| left - 1);
        standing.hits += 1;
        Some(standing.fault.clone())
    }
}
