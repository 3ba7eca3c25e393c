use serde::Deserialize;
use serde_with::{As, DisplayFromStr};

use crate::signing_key::TrustedKey;

/// The function's settings, which the template puts into the environment.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    /// The table of media items.
    pub media_table: String,
    /// The table of relations between persons.
    pub audience_table: String,
    /// The table of people's reports.
    pub reports_table: String,
    /// The table that counts reports.
    pub quotas_table: String,
    /// Reports that one person may send a day.
    #[serde(with = "As::<DisplayFromStr>")]
    pub reports_per_day: u64,
    /// The bucket of originals.
    pub originals_bucket: String,
    /// The bucket of derivatives.
    pub derived_bucket: String,
    /// The secret that protects cursors.
    pub sealing_secret_arn: String,
    /// The base URL of the distribution.
    pub delivery_base_url: String,
    /// The secret that holds the private key whose signatures the distribution accepts. If `None`, files that are not public
    /// have presigned S3 URLs.
    pub delivery_key_secret_arn: Option<String>,
    /// The queue of files whose visibility is to be compared with their story's.
    pub queue_url: String,
    /// Its dead-letter queue.
    pub dead_letter_queue_url: String,
}

/// The public keys that the distribution trusts: those of two slots, or one of an existing key group.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct DeliveryKeys {
    delivery_key_id_a: Option<String>,
    delivery_public_key_a: Option<String>,
    delivery_key_id_b: Option<String>,
    delivery_public_key_b: Option<String>,
    /// The id of the key of an existing group, which the function knows no more of.
    delivery_key_id: Option<String>,
}

impl DeliveryKeys {
    /// The keys, by CloudFront's ids.
    pub fn trusted(self) -> Vec<TrustedKey> {
        let slots = [
            self.delivery_key_id_a.zip(self.delivery_public_key_a.map(Some)),
            self.delivery_key_id_b.zip(self.delivery_public_key_b.map(Some)),
            self.delivery_key_id.map(|id| (id, None)),
        ];
        slots.into_iter().flatten().map(|(id, public_key)| TrustedKey { id, public_key }).collect()
    }
}
