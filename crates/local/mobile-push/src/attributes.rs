use std::collections::BTreeMap;

use super::sns_error::SnsError;

/// Maximum length of a token in bytes.
const MAX_TOKEN: usize = 8192;
/// Maximum length of `CustomUserData` in bytes.
const MAX_USER_DATA: usize = 2048;
/// Attributes of an application that cannot be read.
const SECRET: [&str; 2] = ["PlatformCredential", "PlatformPrincipal"];
/// Attributes of an application that can be set.
const APPLICATION_ATTRIBUTES: [&str; 10] = [
    "PlatformCredential",
    "PlatformPrincipal",
    "Enabled",
    "EventEndpointCreated",
    "EventEndpointDeleted",
    "EventEndpointUpdated",
    "EventDeliveryFailure",
    "SuccessFeedbackRoleArn",
    "FailureFeedbackRoleArn",
    "SuccessFeedbackSampleRate",
];

/// The attributes of an application that can be read.
pub fn without_secrets(attributes: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let shown = attributes.iter().filter(|(name, _)| !SECRET.contains(&name.as_str()));
    shown.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Rejects unknown or invalid attributes of an application.
pub fn check_application(attributes: &BTreeMap<String, String>) -> Result<(), SnsError> {
    for (name, value) in attributes {
        if !APPLICATION_ATTRIBUTES.contains(&name.as_str()) {
            return Err(SnsError::invalid("Attributes", &format!("Invalid attribute name: {name}")));
        }
        match name.as_str() {
            "PlatformCredential" if !is_service_account(value) => {
                return Err(SnsError::invalid("Attributes", "Platform credentials are invalid"));
            }
            "Enabled" => drop(parse_bool(name, value)?),
            name if name.starts_with("Event") && !value.is_empty() && !value.starts_with("arn:aws:sns:") => {
                return Err(SnsError::invalid("Attributes", &format!("Invalid value for attribute: {name}: {value}")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether this is the JSON key of a Firebase service account, for FCM's HTTP v1 API.
fn is_service_account(credential: &str) -> bool {
    let Ok(serde_json::Value::Object(account)) = serde_json::from_str(credential) else { return false };
    let text = |name: &str| account.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    text("type") == "service_account"
        && text("private_key").contains("PRIVATE KEY")
        && ["project_id", "client_email"].iter().all(|name| !text(name).is_empty())
}

/// Rejects an empty or too long token.
pub fn check_token(token: &str) -> Result<(), SnsError> {
    match token.len() {
        0 => Err(SnsError::invalid("Token", "no value for required parameter")),
        1..=MAX_TOKEN => Ok(()),
        _ => Err(SnsError::invalid("Token", "must be at most 8192 bytes long in UTF-8 encoding")),
    }
}

/// Rejects too long `CustomUserData`.
pub fn check_user_data(data: &str) -> Result<(), SnsError> {
    if data.len() > MAX_USER_DATA {
        let reason = "Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding";
        return Err(SnsError::invalid("Attributes", reason));
    }
    Ok(())
}

/// Parses a boolean attribute.
pub fn parse_bool(name: &str, value: &str) -> Result<bool, SnsError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => {
            let reason = format!("Invalid value for attribute: {name}: must be either 'true' or 'false'");
            Err(SnsError::invalid("Attributes", &reason))
        }
    }
}
