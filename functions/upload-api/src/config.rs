use function_kit::config::{MissingSetting, optional, required};

/// The function's settings, which the template puts into the environment.
pub struct Config {
    pub originals_bucket: String,
    pub sealing_secret_arn: String,
    /// Whether recordings are accepted; they need ffmpeg.
    pub offers_audio: bool,
}

impl Config {
    pub fn from_env() -> Result<Self, MissingSetting> {
        Ok(Self {
            originals_bucket: required("ORIGINALS_BUCKET")?,
            sealing_secret_arn: required("SEALING_SECRET_ARN")?,
            offers_audio: optional("OFFERS_AUDIO").as_deref() != Some("false"),
        })
    }
}
