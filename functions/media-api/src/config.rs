use function_kit::config::{MissingSetting, required};

/// What the template tells this function.
pub struct Config {
    pub media_table: String,
    pub audience_table: String,
    pub originals_bucket: String,
    pub derived_bucket: String,
    pub sealing_secret_arn: String,
}

impl Config {
    pub fn from_env() -> Result<Self, MissingSetting> {
        Ok(Self {
            media_table: required("MEDIA_TABLE")?,
            audience_table: required("AUDIENCE_TABLE")?,
            originals_bucket: required("ORIGINALS_BUCKET")?,
            derived_bucket: required("DERIVED_BUCKET")?,
            sealing_secret_arn: required("SEALING_SECRET_ARN")?,
        })
    }
}
