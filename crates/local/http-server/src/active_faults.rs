use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// A request to inject a fault into an emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRequest<F> {
    /// The fault.
    pub fault: F,
    /// The number of requests that it affects. `None`: all requests until the faults are cleared.
    #[serde(default = "unlimited", skip_serializing_if = "Option::is_none")]
    pub times: Option<NonZeroU32>,
}

// `#[serde(default)]` would require a default of `F`.
fn unlimited() -> Option<NonZeroU32> {
    None
}

/// An injected fault and its counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActiveFault<F> {
    /// The fault.
    pub fault: F,
    /// The number of requests that it will still affect. `None`: no limit.
    pub left: Option<u32>,
    /// The number of requests that it has affected.
    pub hits: u64,
}

/// The injected faults, oldest first. Exhausted faults stay in the list for their counters.
#[derive(Debug)]
pub struct ActiveFaults<F>(Vec<ActiveFault<F>>);

impl<F> Default for ActiveFaults<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Clone> ActiveFaults<F> {
    /// Adds a fault.
    pub fn inject(&mut self, request: FaultRequest<F>) {
        self.0.push(ActiveFault { fault: request.fault, left: request.times.map(NonZeroU32::get), hits: 0 });
    }

    /// Removes all faults and their counters.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All faults, exhausted ones included.
    pub fn all(&self) -> &[ActiveFault<F>] {
        &self.0
    }

    /// The faults that are not exhausted.
    pub fn active(&self) -> impl Iterator<Item = &F> {
        self.0.iter().filter(|active| active.left != Some(0)).map(|active| &active.fault)
    }

    /// The oldest fault that is not exhausted and that `matches`; counts it as a hit.
    pub fn take(&mut self, matches: impl Fn(&F) -> bool) -> Option<F> {
        let active = self.0.iter_mut().find(|active| active.left != Some(0) && matches(&active.fault))?;
        active.left = active.left.map(|left| left - 1);
        active.hits += 1;
        Some(active.fault.clone())
    }
}
