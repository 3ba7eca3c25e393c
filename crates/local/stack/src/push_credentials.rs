//! What lets SNS speak to FCM: a service account's JSON in Secrets Manager. Nobody's: it is made up,
//! and a new one with every stack.

use anyhow::{Context, Result};
use aws_client::AwsClient;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use uuid::Uuid;

/// The secret's name.
const NAME: &str = "iyagi/push";

/// The ARN of the secret, which is made if it is not there.
pub async fn secret(aws: &AwsClient) -> Result<String> {
    let known = aws.json("secretsmanager", "secretsmanager.DescribeSecret", &json!({"SecretId": NAME})).await;
    let secret = match known {
        Ok(known) => known,
        Err(_) => {
            let input = json!({
                "Name": NAME, "SecretString": service_account().to_string(),
                "ClientRequestToken": Uuid::new_v4().to_string(),
            });
            aws.json("secretsmanager", "secretsmanager.CreateSecret", &input).await?
        }
    };
    Ok(secret["ARN"].as_str().context("a secret without ARN")?.to_owned())
}

/// It has the form of those that Firebase gives out.
fn service_account() -> Value {
    let key: Vec<u8> = (0..16).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    json!({
        "type": "service_account",
        "project_id": "iyagi-local",
        "private_key_id": Uuid::new_v4().simple().to_string(),
        "private_key": format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(key)
        ),
        "client_email": "push@iyagi-local.example",
        "token_uri": "https://oauth2.example/token",
    })
}
