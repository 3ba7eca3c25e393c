//! The key pair for signed URLs of derivatives. The private key is in Secrets Manager. Every stack has a new pair.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use aws_client::AwsClient;
use cloudfront::KeyPair;
use serde_json::json;
use uuid::Uuid;

/// Id of the public key; on AWS, CloudFront assigns it.
pub const KEY_ID: &str = "KLOCALDELIVERY";
/// Name of the secret.
const NAME: &str = "iyagi/delivery";

/// The key pair.
#[derive(Debug)]
pub struct CdnKey {
    /// ARN of the secret with the private key in PEM.
    pub secret_arn: String,
}

impl CdnKey {
    /// Loads the key pair. Creates it if the file of the public key or the secret is missing: the emulator may be new.
    pub async fn load_or_create(public_key_file: &Path, aws: &AwsClient) -> Result<Self> {
        let existing =
            aws.json("secretsmanager", "secretsmanager.DescribeSecret", &json!({"SecretId": NAME})).await.ok();
        let secret = match existing {
            Some(secret) if public_key_file.exists() => secret,
            existing => {
                let pair = KeyPair::generate()?;
                let token = Uuid::new_v4().to_string();
                let (call, name) =
                    if existing.is_some() { ("PutSecretValue", "SecretId") } else { ("CreateSecret", "Name") };
                let input = json!({name: NAME, "SecretString": pair.private, "ClientRequestToken": token});
                let secret = aws.json("secretsmanager", &format!("secretsmanager.{call}"), &input).await?;
                fs::write(public_key_file, pair.public)
                    .with_context(|| format!("cannot write {}", public_key_file.display()))?;
                secret
            }
        };
        let secret_arn = secret["ARN"].as_str().context("the secret has no ARN")?.to_owned();
        Ok(Self { secret_arn })
    }
}
