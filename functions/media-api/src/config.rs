use function_kit::config::{MissingSetting, optional, required};

/// The function's settings, which the template puts into the environment.
pub struct Config {
    /// The table of media items.
    pub media_table: String,
    /// The table of relations between persons.
    pub audience_table: String,
    /// The bucket of originals.
    pub originals_bucket: String,
    /// The bucket of derivatives.
    pub derived_bucket: String,
    /// The secret that protects cursors.
    pub sealing_secret_arn: String,
    /// The base URL of the distribution.
    pub delivery_base_url: String,
    /// If `None`, files that are not public have presigned S3 URLs.
    pub delivery_key: Option<DeliveryKey>,
}

/// The key whose signatures the distribution accepts.
pub struct DeliveryKey {
    /// CloudFront's id of the public key.
    pub id: String,
    /// The secret that holds the private key.
    pub secret_arn: String,
}

impl Config {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    /// If one is missing.
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
