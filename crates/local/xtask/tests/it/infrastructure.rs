//! `template.yaml` and the templates in `infra/` match the code and the documents.
//!
//! ```text
//! runbooks     every alarm has a runbook
//! dashboards   metrics in alarms, dashboards and filters exist
//! metrics      metric definitions
//! safety       dead-letter queues, retained data, policies without wildcards
//! stacks       outputs and parameters
//! template     reads templates
//! ```

mod dashboards;
mod metrics;
mod runbooks;
mod safety;
mod stacks;
mod template;
