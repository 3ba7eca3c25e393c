//! Settings from environment variables, read once at start.

use std::env;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The settings are not those that the function expects.
#[derive(Debug, thiserror::Error)]
#[error("an environment variable is missing or invalid: {0}")]
pub struct InvalidSettings(serde_path_to_error::Error<serde_json::Error>);

/// The settings of a function: each field of `T` is the variable of its name. Empty variables count as missing. All values
/// are texts: a number needs `#[serde(with = "As::<DisplayFromStr>")]`.
///
/// # Errors
/// If a variable is missing and not optional, or invalid. The error names it.
pub fn from_env<T: DeserializeOwned>() -> Result<T, InvalidSettings> {
    settings(env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
}

fn settings<T: DeserializeOwned>(variables: impl Iterator<Item = (String, String)>) -> Result<T, InvalidSettings> {
    let set = variables.filter(|(_, value)| !value.is_empty());
    let fields: Map<_, _> = set.map(|(name, value)| (name, Value::String(value))).collect();
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(InvalidSettings)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use serde::Deserialize;
    use serde_with::{As, DisplayFromStr};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    struct Config {
        devices_table: String,
        queue_url: Option<String>,
        on_gap: Option<OnGap>,
        #[serde(default, with = "As::<Option<DisplayFromStr>>")]
        burst: Option<NonZeroU32>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum OnGap {
        Skip,
    }

    fn config(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        settings(variables).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_the_variables_of_their_names() {
        let variables =
            [("DEVICES_TABLE", "7"), ("QUEUE_URL", ""), ("ON_GAP", "skip"), ("BURST", "9"), ("PATH", "/bin")];
        let (devices_table, on_gap, burst) = ("7".to_owned(), Some(OnGap::Skip), NonZeroU32::new(9));
        assert_eq!(config(&variables), Ok(Config { devices_table, queue_url: None, on_gap, burst }));
    }

    #[test]
    fn missing_empty_or_invalid_setting_is_named() {
        for (variables, name) in [
            (&[][..], "DEVICES_TABLE"),
            (&[("DEVICES_TABLE", "")], "DEVICES_TABLE"),
            (&[("DEVICES_TABLE", "devices"), ("ON_GAP", "stop")], "ON_GAP"),
            (&[("DEVICES_TABLE", "devices"), ("BURST", "0")], "BURST"),
            (&[("DEVICES_TABLE", "devices"), ("BURST", "many")], "BURST"),
        ] {
            let error = config(variables).expect_err("an error");
            assert!(error.contains(name), "{error}");
        }
    }
}
