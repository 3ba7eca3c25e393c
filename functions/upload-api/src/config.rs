use serde::Deserialize;

/// The function's settings, which the template puts into the environment.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub originals_bucket: String,
    pub sealing_secret_arn: String,
    pub quotas_table: String,
    pub media_table: String,
    /// `false` if recordings are not accepted; they need ffmpeg.
    pub offers_audio: Option<String>,
}
