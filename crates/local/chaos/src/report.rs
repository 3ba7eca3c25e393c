use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::Result;
use fault_proxy::{CallCount, Fault};
use serde::Serialize;
use stack::paths;

use super::{check::Findings, driver::Driver, operation::Operation, plan::CONDITIONAL_WRITES};

/// The results of one or more histories.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    seed: u64,
    /// Total duration.
    pub seconds: u64,
    /// Duration without faults until all work was done.
    pub drain_seconds: u64,
    operations: BTreeMap<String, u64>,
    requests: u64,
    faults: BTreeMap<String, u64>,
    /// Lost answers by operation, for writes to DynamoDB.
    lost_answers: BTreeMap<String, u64>,
    pairs: u64,
    kills: u64,
    restarts: u64,
    notifications_shown: u64,
    notifications_required: u64,
    notifications_replaced: u64,
    inbox_entries_required: u64,
    settled: u64,
    files_ready: u64,
    sounds_ready: u64,
    documents: u64,
    erasures: u64,
    exports: u64,
    /// Differences from the model.
    pub violations: Vec<String>,
    /// The generated operations.
    pub history: Vec<Operation>,
}

impl Report {
    /// An empty report.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Adds the executed operations.
    pub fn add_operations(&mut self, driver: &Driver<'_>) {
        self.pairs += driver.pairs;
        self.kills += driver.kills;
        for executed in &driver.executed {
            *self.operations.entry(executed.operation.name()).or_default() += 1;
            self.restarts += u64::from(executed.operation == Operation::Restart);
            self.settled += u64::from(executed.settled);
        }
    }

    /// Adds the counters of the fault proxy.
    pub fn add_faults(&mut self, counts: Vec<CallCount>) {
        for count in counts {
            self.requests += count.requests;
            for (fault, times) in count.faults {
                let operation = &count.call.operation;
                if fault == Fault::LostAnswer.name() && CONDITIONAL_WRITES.contains(&operation.as_str()) {
                    *self.lost_answers.entry(operation.clone()).or_default() += times;
                }
                *self.faults.entry(fault).or_default() += times;
            }
        }
    }

    /// Adds the results of the checks.
    pub fn add_findings(&mut self, findings: Findings) {
        self.notifications_shown += findings.shown;
        self.notifications_required += findings.required;
        self.notifications_replaced += findings.replaced;
        self.inbox_entries_required += findings.entries;
        self.files_ready += findings.ready;
        self.sounds_ready += findings.sounds;
        self.documents += findings.documents;
        self.erasures += findings.erasures;
        self.exports += findings.exports;
        self.violations.extend(findings.violations);
    }

    /// The sum of reports.
    pub fn total(reports: &[Self]) -> Self {
        let mut all = Self::default();
        for report in reports {
            all.seed = reports.first().map_or(0, |first| first.seed);
            all.seconds += report.seconds;
            all.drain_seconds += report.drain_seconds;
            all.requests += report.requests;
            all.pairs += report.pairs;
            all.kills += report.kills;
            all.restarts += report.restarts;
            all.notifications_shown += report.notifications_shown;
            all.notifications_required += report.notifications_required;
            all.notifications_replaced += report.notifications_replaced;
            all.inbox_entries_required += report.inbox_entries_required;
            all.files_ready += report.files_ready;
            all.sounds_ready += report.sounds_ready;
            all.documents += report.documents;
            all.erasures += report.erasures;
            all.exports += report.exports;
            all.settled += report.settled;
            let violations = report.violations.iter().map(|violation| format!("seed {}: {violation}", report.seed));
            all.violations.extend(violations);
            for (counts, sum) in [
                (&report.operations, &mut all.operations),
                (&report.faults, &mut all.faults),
                (&report.lost_answers, &mut all.lost_answers),
            ] {
                for (name, count) in counts {
                    *sum.entry(name.clone()).or_default() += count;
                }
            }
        }
        all
    }

    /// Prints the report.
    pub fn print(&self, title: &str) {
        let (operations, faults): (u64, u64) = (self.operations.values().sum(), self.faults.values().sum());
        println!(
            "{title}: {} s ({} s to drain), {operations} operations ({} pairs), {} requests, {faults} faults, {} kills, \
             {} restarts, {} resets, settled {} times, {} notifications ({} required, {} replaced), {} required entries of \
             inboxes, {} files ({} sounds), {} documents, {} erasures, {} exports, violations: {}",
            self.seconds,
            self.drain_seconds,
            self.pairs,
            self.requests,
            self.kills,
            self.restarts,
            self.operations.get("Reset").copied().unwrap_or_default(),
            self.settled,
            self.notifications_shown,
            self.notifications_required,
            self.notifications_replaced,
            self.inbox_entries_required,
            self.files_ready,
            self.sounds_ready,
            self.documents,
            self.erasures,
            self.exports,
            self.violations.len(),
        );
        for violation in &self.violations {
            println!("  ✗ {violation}");
        }
    }

    /// Writes the report of a run on `stack` to `<name>.json`.
    pub fn write(&self, stack: &str, name: &str) -> Result<()> {
        fs::create_dir_all(folder(stack))?;
        let file = folder(stack).join(format!("{name}.json"));
        Ok(fs::write(file, serde_json::to_vec_pretty(self)?)?)
    }
}

/// The folder of the reports of a run on `stack`.
pub fn folder(stack: &str) -> PathBuf {
    paths::root().join("target").join(stack)
}
