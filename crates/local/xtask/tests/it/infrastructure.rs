//! `template.yaml` and the templates in `infra/` match the code and the documents.
//!
//! ```text
//! canary       deployments of the API
//! runbooks     every alarm has a runbook
//! dashboards   metrics in alarms, dashboards and filters exist
//! metrics      metric definitions
//! recursion    functions that feed themselves
//! endpoints    endpoint policies of the network
//! retention    how long data is kept
//! roles        permissions of the functions
//! search       the search domain is what the tests run on
//! safety       dead-letter queues, retained data, policies without wildcards
//! stacks       outputs and parameters
//! template     reads templates
//! ```

mod canary;
mod concurrency;
mod dashboards;
mod endpoints;
mod metrics;
mod recursion;
mod retention;
mod roles;
mod runbooks;
mod safety;
mod search;
mod stacks;
mod template;
