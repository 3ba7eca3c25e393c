//! The credential of SNS for FCM: a generated service account key in Secrets Manager, new for every stack.

use anyhow::{Context, Result};
use aws_client::AwsClient;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use uuid::Uuid;

/// Name of the secret.
const NAME: &str = "iyagi/push";

/// The ARN of the secret. Creates the secret if it does not exist.
pub async fn secret_arn(aws: &AwsClient) -> Result<String> {
    let existing = aws.json("secretsmanager", "secretsmanager.DescribeSecret", &json!({"SecretId": NAME})).await;
    let secret = match existing {
        Ok(secret) => secret,
        Err(_) => {
            let input = json!({
                "Name": NAME, "SecretString": service_account().to_string(),
                "ClientRequestToken": Uuid::new_v4().to_string(),
            });
            aws.json("secretsmanager", "secretsmanager.CreateSecret", &input).await?
        }
    };
    Ok(secret["ARN"].as_str().context("the secret has no ARN")?.to_owned())
}

/// A key in the format of Firebase.
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
