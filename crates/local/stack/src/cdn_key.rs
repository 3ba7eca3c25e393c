//! What signs addresses of derived files: a pair of keys, whose private half lies in Secrets Manager.
//! It is made up, and a new one with every stack.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use aws_client::AwsClient;
use cloudfront::KeyPair;
use serde_json::json;
use uuid::Uuid;

/// The id of the public key; on AWS, CloudFront gives it out.
pub const ID: &str = "KLOCALDELIVERY";
/// The secret's name.
const NAME: &str = "iyagi/delivery";

/// Where the two halves are.
#[derive(Debug)]
pub struct CdnKey {
    /// A PEM file.
    pub public: PathBuf,
    /// A secret that holds PEM.
    pub secret_arn: String,
}

impl CdnKey {
    /// The pair whose public half is in the file `public`; it is made if there is none, or if the
    /// emulator, which may be a new one, has no other half.
    pub async fn at(public: PathBuf, aws: &AwsClient) -> Result<Self> {
        let known = aws.json("secretsmanager", "secretsmanager.DescribeSecret", &json!({"SecretId": NAME})).await.ok();
        let secret = match known {
            Some(known) if public.exists() => known,
            known => {
                let pair = KeyPair::generate()?;
                let token = Uuid::new_v4().to_string();
                let (call, name) =
                    if known.is_some() { ("PutSecretValue", "SecretId") } else { ("CreateSecret", "Name") };
                let input = json!({name: NAME, "SecretString": pair.private, "ClientRequestToken": token});
                let secret = aws.json("secretsmanager", &format!("secretsmanager.{call}"), &input).await?;
                fs::write(&public, pair.public).with_context(|| format!("cannot write {}", public.display()))?;
                secret
            }
        };
        let secret_arn = secret["ARN"].as_str().context("a secret without ARN")?.to_owned();
        Ok(Self { public, secret_arn })
    }
}
