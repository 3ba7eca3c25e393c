use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{call::Call, fault::Fault};

/// Counters of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallCount {
    /// The operation.
    #[serde(flatten)]
    pub call: Call,
    /// Number of requests.
    pub requests: u64,
    /// Number of affected requests by name of the fault.
    pub faults: BTreeMap<String, u64>,
}

/// Counts requests and faults by service and operation.
#[derive(Debug, Default)]
pub struct Counters(BTreeMap<Call, (u64, BTreeMap<&'static str, u64>)>);

impl Counters {
    /// Counts a request.
    pub fn request(&mut self, call: &Call) {
        self.0.entry(call.clone()).or_default().0 += 1;
    }

    /// Counts a fault that has hits.
    pub fn fault(&mut self, call: &Call, fault: Fault) {
        *self.0.entry(call.clone()).or_default().1.entry(fault.name()).or_default() += 1;
    }

    /// All counters.
    pub fn counts(&self) -> Vec<CallCount> {
        let count = |(call, (requests, faults)): (&Call, &(u64, BTreeMap<&'static str, u64>))| CallCount {
            call: call.clone(),
            requests: *requests,
            faults: faults.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        };
        self.0.iter().map(count).collect()
    }
}
