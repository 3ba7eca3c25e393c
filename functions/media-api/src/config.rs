use function_kit::config::{MissingSetting, required};

/// What the template tells this function.
pub struct Config {
    pub media_table: String,
    pub derived_bucket: String,
}

impl Config {
    pub fn from_env() -> Result<Self, MissingSetting> {
        Ok(Self { media_table: required("MEDIA_TABLE")?, derived_bucket: required("DERIVED_BUCKET")? })
    }
}
