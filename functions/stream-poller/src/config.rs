//! Settings from the environment.

use std::{env, str::FromStr, time::Duration};

use function_kit::config::{MissingSetting, required};

use crate::policy::{Policy, UnknownChoice};

/// The settings of the function. Each comes from an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `NEPTUNE_ENDPOINT_URL`, with scheme and port.
    pub neptune_endpoint_url: String,
    /// `CLUSTER`: the cluster's name in event ids.
    pub cluster: String,
    /// `CHECKPOINT_TABLE`.
    pub checkpoint_table: String,
    /// `GRAPH_CHANGES_TOPIC_ARN`.
    pub graph_changes_topic_arn: String,
    /// `DEAD_LETTER_QUEUE_URL`.
    pub dead_letter_queue_url: String,
    /// `EXPORT_QUEUE_URL`: the queue for exports. Optional.
    pub export_queue_url: Option<String>,
    /// `POLL_MODE`, `START_AT`, `ON_EXPIRY`, `ON_GAP`, `ON_RESET`. Each has a default.
    pub policy: Policy,
    /// `STREAM_EXPIRY_DAYS`, equal to the cluster's parameter `neptune_streams_expiry_days`. Default: 7 days.
    pub retention: Duration,
}

/// An invalid or missing setting.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// A required setting is missing.
    #[error(transparent)]
    Missing(#[from] MissingSetting),
    /// A setting has an unknown value.
    #[error("the environment variable {0}: {1}")]
    Choice(&'static str, UnknownChoice),
    /// A setting is not a number of days.
    #[error("the environment variable {0} is not a number of days")]
    Days(&'static str),
}

impl Config {
    /// Reads all settings.
    ///
    /// # Errors
    /// If a setting is missing or invalid. The function then does not start, because a wrong policy could lose
    /// records.
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
