//! Settings from environment variables, read once at start.

use std::{env, num::NonZeroU32};

/// A required setting is missing from the template.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct MissingSetting(&'static str);

/// The setting `name`.
///
/// # Errors
/// If it is missing or empty.
pub fn required(name: &'static str) -> Result<String, MissingSetting> {
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or(MissingSetting(name))
}

/// The setting `name`; `None` if it is missing or empty.
pub fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A setting is missing or invalid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSetting {
    /// It is missing or empty.
    #[error(transparent)]
    Missing(#[from] MissingSetting),
    /// It is not a positive number.
    #[error("the environment variable {0} must be a positive number")]
    NotPositive(&'static str),
}

/// The setting `name`, a positive number.
///
/// # Errors
/// If it is missing, empty or not a positive number.
pub fn positive(name: &'static str) -> Result<NonZeroU32, InvalidSetting> {
    required(name)?.parse().map_err(|_| InvalidSetting::NotPositive(name))
}
