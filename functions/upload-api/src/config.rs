use function_kit::config::{MissingSetting, required};

/// The function's settings, which the template puts into the environment.
pub struct Config {
    pub originals_bucket: String,
    pub sealing_secret_arn: String,
}

impl Config {
    pub fn from_env() -> Result<Self, MissingSetting> {
        Ok(Self {
            originals_bucket: required("ORIGINALS_BUCKET")?,
            sealing_secret_arn: required("SEALING_SECRET_ARN")?,
        })
    }
}
