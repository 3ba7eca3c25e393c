use function_kit::config::{MissingSetting, optional, required};

/// What the template tells this function.
pub struct Config {
    /// Of the items.
    pub media_table: String,
    /// Of who follows whom.
    pub audience_table: String,
    /// Of what clients uploaded.
    pub originals_bucket: String,
    /// Of what was made from it.
    pub derived_bucket: String,
    /// The secret of the cursors.
    pub sealing_secret_arn: String,
    /// Where the distribution answers.
    pub delivery_base_url: String,
    /// Without it, nothing is signed for the distribution.
    pub delivery_key: Option<DeliveryKey>,
}

/// The key whose signatures the distribution trusts.
pub struct DeliveryKey {
    /// As CloudFront knows its public half.
    pub id: String,
    /// The secret that holds it.
    pub secret_arn: String,
}

impl Config {
    /// Reads them.
    ///
    /// # Errors
    /// One is missing.
    pub fn from_env() -> Result<Self, MissingSetting> {
        let key = match optional("DELIVERY_KEY_SECRET_ARN") {
            Some(secret_arn) => Some(DeliveryKey { id: required("DELIVERY_KEY_ID")?, secret_arn }),
            None => None,
        };
        Ok(Self {
            media_table: required("MEDIA_TABLE")?,
            audience_table: required("AUDIENCE_TABLE")?,
            originals_bucket: required("ORIGINALS_BUCKET")?,
            derived_bucket: required("DERIVED_BUCKET")?,
            sealing_secret_arn: required("SEALING_SECRET_ARN")?,
            delivery_base_url: required("DELIVERY_BASE_URL")?,
            delivery_key: key,
        })
    }
}
