use aws_sdk_secretsmanager::Client;
use function_kit::failure::Failure;
use serde::Deserialize;

/// Reads the service account that FCM knows us by.
pub struct Credentials {
    pub secrets: Client,
}

/// What must be in a service account's JSON.
#[derive(Deserialize)]
struct ServiceAccount {
    #[serde(rename = "type")]
    kind: String,
    project_id: String,
    private_key: String,
    client_email: String,
}

impl Credentials {
    /// The service account's JSON, as the secret's current version has it. Never in a failure's text.
    pub async fn service_account(&self, secret_arn: &str) -> Result<String, Failure> {
        let answer = self.secrets.get_secret_value().secret_id(secret_arn).send().await;
        let answer = answer.map_err(|error| Failure::aws("read the secret", error))?;
        let text = answer.secret_string.filter(|text| is_service_account(text));
        text.ok_or_else(|| Failure::bug("read the secret", "its value is not the JSON of a service account"))
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
        fn only_a_service_account_passes_for_one(text in malformed_inputs::documents(&[ACCOUNT])) {
            prop_assert!(is_service_account(ACCOUNT));
            // What is passed over may be nested deeper than a value can be.
            let account: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            if let Some(account) = account.filter(|_| is_service_account(&text)) {
                prop_assert_eq!(&account["type"], "service_account");
            }
        }
    }
}
