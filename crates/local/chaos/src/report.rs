use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::Result;
use fault_proxy::CallCount;
use serde::Serialize;
use stack::paths;

use super::{check::Findings, driver::Driver, operation::Operation};

/// What became of one history, or of several.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    seed: u64,
    /// How long it took, all in all.
    pub seconds: u64,
    /// How much of it went by without faults, until all was worked off.
    pub seconds_of_peace: u64,
    operations: BTreeMap<String, u64>,
    requests: u64,
    faults: BTreeMap<String, u64>,
    pairs: u64,
    kills: u64,
    restarts: u64,
    notifications_shown: u64,
    notifications_required: u64,
    shown_again_in_place: u64,
    settled: u64,
    files_ready: u64,
    sounds_ready: u64,
    documents: u64,
    /// What was not as it must be.
    pub violations: Vec<String>,
    /// What was to be done.
    pub history: Vec<Operation>,
}

impl Report {
    /// Of a history that has not begun.
    pub fn of(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Adds what was done.
    pub fn add_doings(&mut self, driver: &Driver<'_>) {
        self.pairs += driver.pairs;
        self.kills += driver.kills;
        for done in &driver.done {
            *self.operations.entry(done.operation.name()).or_default() += 1;
            self.restarts += u64::from(done.operation == Operation::Restart);
            self.settled += u64::from(done.settled);
        }
    }

    /// Adds what went wrong by order.
    pub fn add_faults(&mut self, counts: Vec<CallCount>) {
        for count in counts {
            self.requests += count.requests;
            for (fault, times) in count.faults {
                *self.faults.entry(fault).or_default() += times;
            }
        }
    }

    /// Adds what was found at the end.
    pub fn add_findings(&mut self, findings: Findings) {
        self.notifications_shown += findings.shown;
        self.notifications_required += findings.required;
        self.shown_again_in_place += findings.shown_again;
        self.files_ready += findings.ready;
        self.sounds_ready += findings.heard;
        self.documents += findings.documents;
        self.violations.extend(findings.violations);
    }

    /// All figures added up.
    pub fn total(reports: &[Self]) -> Self {
        let mut all = Self::default();
        for report in reports {
            all.seed = reports.first().map_or(0, |first| first.seed);
            all.seconds += report.seconds;
            all.seconds_of_peace += report.seconds_of_peace;
            all.requests += report.requests;
            all.pairs += report.pairs;
            all.kills += report.kills;
            all.restarts += report.restarts;
            all.notifications_shown += report.notifications_shown;
            all.notifications_required += report.notifications_required;
            all.shown_again_in_place += report.shown_again_in_place;
            all.files_ready += report.files_ready;
            all.sounds_ready += report.sounds_ready;
            all.documents += report.documents;
            all.settled += report.settled;
            let violations = report.violations.iter().map(|violation| format!("seed {}: {violation}", report.seed));
            all.violations.extend(violations);
            for (counts, sum) in [(&report.operations, &mut all.operations), (&report.faults, &mut all.faults)] {
                for (name, count) in counts {
                    *sum.entry(name.clone()).or_default() += count;
                }
            }
        }
        all
    }

    /// Shows the figures.
    pub fn print(&self, what: &str) {
        let (operations, faults): (u64, u64) = (self.operations.values().sum(), self.faults.values().sum());
        println!(
            "{what}: {} s ({} s of peace), {operations} operations ({} pairs), {} requests, {faults} faults, {} kills, \
             {} restarts, settled {} times, {} notifications ({} required, {} again in place), {} files ({} sounds), \
             {} documents, violations: {}",
            self.seconds,
            self.seconds_of_peace,
            self.pairs,
            self.requests,
            self.kills,
            self.restarts,
            self.settled,
            self.notifications_shown,
            self.notifications_required,
            self.shown_again_in_place,
            self.files_ready,
            self.sounds_ready,
            self.documents,
            self.violations.len(),
        );
        for violation in &self.violations {
            println!("  ✗ {violation}");
        }
    }

    /// Keeps it under this name.
    pub fn write(&self, name: &str) -> Result<()> {
        fs::create_dir_all(folder())?;
        let file = folder().join(format!("{name}.json"));
        Ok(fs::write(file, serde_json::to_vec_pretty(self)?)?)
    }
}

/// Where reports are kept.
pub fn folder() -> PathBuf {
    paths::root().join("target/chaos")
}
