//! Settings come from the environment, once, at start.

use std::env;

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
