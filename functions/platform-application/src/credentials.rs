use aws_sdk_secretsmanager::Client;
use function_kit::failure::Failure;
use serde::Deserialize;

/// Client for the secret with the FCM service account.
pub struct Credentials {
    pub secrets: Client,
}

/// Required fields of a service account's JSON.
#[derive(Deserialize)]
struct ServiceAccount {
    #[serde(rename = "type")]
    kind: String,
    project_id: String,
    private_key: String,
    client_email: String,
}

impl Credentials {
    /// The service account's JSON from the secret's current version. No failure contains it.
    pub async fn service_account(&self, secret_arn: &str) -> Result<String, Failure> {
        let response = self.secrets.get_secret_value().secret_id(secret_arn).send().await;
        let response = response.map_err(|error| Failure::aws("read the secret", error))?;
        let text = response.secret_string.filter(|text| is_service_account(text));
        text.ok_or_else(|| Failure::bug("read the secret", "the value is not the JSON of a service account"))
    }
}

fn is_service_account(text: &str) -> bool {
    serde_json::from_str::<ServiceAccount>(text).is_ok_and(|account| {
        let ServiceAccount { kind, project_id, private_key, client_email } = account;
        kind == "service_account" && ![project_id, private_key, client_email].iter().any(String::is_empty)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACCOUNT: &str = r#"{"type":"service_account","project_id":"p","private_key":"k","client_email":"e"}"#;

    proptest! {
        #[test]
        fn malformed_service_account_is_rejected(text in malformed_inputs::documents(&[ACCOUNT])) {
            prop_assert!(is_service_account(ACCOUNT));
            // Ignored fields may be nested deeper than `Value` can parse.
            let account: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            if let Some(account) = account.filter(|_| is_service_account(&text)) {
                prop_assert_eq!(&account["type"], "service_account");
            }
        }
    }
}
