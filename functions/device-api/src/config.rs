use serde::Deserialize;

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub devices_table: String,
    pub platform_application_arn: String,
}
