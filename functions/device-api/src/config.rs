use function_kit::config::{MissingSetting, required};

/// Settings from the environment, which the template sets.
pub struct Config {
    pub devices_table: String,
    pub platform_application_arn: String,
}

impl Config {
    pub fn from_env() -> Result<Self, MissingSetting> {
        Ok(Self {
            devices_table: required("DEVICES_TABLE")?,
            platform_application_arn: required("PLATFORM_APPLICATION_ARN")?,
        })
    }
}
