//! Settings come from the environment, once, at start.

use std::{env, num::NonZeroU32};

/// A setting is missing: the template and the function disagree.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct MissingSetting(&'static str);

/// The setting `name`; an empty one counts as missing.
pub fn required(name: &'static str) -> Result<String, MissingSetting> {
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or(MissingSetting(name))
}

/// The setting `name`, if there is one; an empty one counts as none.
pub fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A setting is missing, or is not what it must be.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSetting {
    /// It is not there.
    #[error(transparent)]
    Missing(#[from] MissingSetting),
    /// It is no number from 1.
    #[error("the environment variable {0} must be a number from 1")]
    NotPositive(&'static str),
}

/// The setting `name`, a number from 1.
pub fn positive(name: &'static str) -> Result<NonZeroU32, InvalidSetting> {
    required(name)?.parse().map_err(|_| InvalidSetting::NotPositive(name))
}
