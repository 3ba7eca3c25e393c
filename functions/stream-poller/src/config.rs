//! What the template tells this function.

use std::{env, str::FromStr, time::Duration};

use function_kit::config::{MissingSetting, required};

use crate::policy::{Policy, UnknownChoice};

/// Settings, from the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `NEPTUNE_ENDPOINT_URL`, with scheme and port.
    pub neptune_endpoint_url: String,
    /// `CLUSTER`: its name in the ids of changes.
    pub cluster: String,
    /// `CHECKPOINT_TABLE`.
    pub checkpoint_table: String,
    /// `GRAPH_CHANGES_TOPIC_ARN`.
    pub graph_changes_topic_arn: String,
    /// `DEAD_LETTER_QUEUE_URL`.
    pub dead_letter_queue_url: String,
    /// `EXPORT_QUEUE_URL`: whom an export tells of the graph, if anybody.
    pub export_queue_url: Option<String>,
    /// `POLL_MODE`, `START_AT`, `ON_EXPIRY`, `ON_GAP`, `ON_RESET`; without one, its default.
    pub policy: Policy,
    /// `STREAM_EXPIRY_DAYS`, as the cluster's parameter `neptune_streams_expiry_days`; 7 without it.
    pub retention: Duration,
}

/// The template and the function disagree.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// A setting is missing.
    #[error(transparent)]
    Missing(#[from] MissingSetting),
    /// A setting is none of those that there are.
    #[error("the environment variable {0}: {1}")]
    Choice(&'static str, UnknownChoice),
    /// A number is none.
    #[error("the environment variable {0} is no number of days")]
    Days(&'static str),
}

impl Config {
    /// # Errors
    /// If a setting is missing or unknown: better not to start than to lose records by mistake.
    pub fn from_env() -> Result<Self, InvalidConfig> {
        Ok(Self {
            neptune_endpoint_url: required("NEPTUNE_ENDPOINT_URL")?,
            cluster: required("CLUSTER")?,
            checkpoint_table: required("CHECKPOINT_TABLE")?,
            graph_changes_topic_arn: required("GRAPH_CHANGES_TOPIC_ARN")?,
            dead_letter_queue_url: required("DEAD_LETTER_QUEUE_URL")?,
            export_queue_url: optional("EXPORT_QUEUE_URL"),
            policy: Policy {
                mode: choice("POLL_MODE")?,
                start_at: choice("START_AT")?,
                on_expiry: choice("ON_EXPIRY")?,
                on_gap: choice("ON_GAP")?,
                on_reset: choice("ON_RESET")?,
            },
            retention: Duration::from_secs(days("STREAM_EXPIRY_DAYS")? * 24 * 60 * 60),
        })
    }
}

fn choice<T: FromStr<Err = UnknownChoice> + Default>(name: &'static str) -> Result<T, InvalidConfig> {
    optional(name)
        .map_or_else(|| Ok(T::default()), |text| text.parse().map_err(|error| InvalidConfig::Choice(name, error)))
}

fn days(name: &'static str) -> Result<u64, InvalidConfig> {
    optional(name).map_or(Ok(7), |text| text.parse::<u32>().map(u64::from).map_err(|_| InvalidConfig::Days(name)))
}

fn optional(name: &'static str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
