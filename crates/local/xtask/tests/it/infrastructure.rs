//! `template.yaml` and the stacks of `infra/`, held against the code and against what is written about them.
//!
//! ```text
//! runbooks     every alarm has one, and every one an alarm
//! dashboards   alarms, dashboards and filters name what is measured (metrics)
//! safety       dead letters, data that outlives a stack, policies without stars
//! stacks       outputs are parameters of the next stack
//! template     reads them
//! ```

mod dashboards;
mod metrics;
mod runbooks;
mod safety;
mod stacks;
mod template;
