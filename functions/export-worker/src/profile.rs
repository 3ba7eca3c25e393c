//! The person in the user pool. Cognito is called without its SDK, which would be one of the largest dependencies.

use std::{collections::BTreeMap, time::Duration};

use aws_config::SdkConfig;
use function_kit::{aws::http_connector, error_code, failure::Failure};
use http::{Method, Request, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use sigv4_client::MissingCredentials;

const DOING: &str = "read a user";
/// Timeout of one call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A user pool of Cognito.
pub struct UserPool {
    http: sigv4_client::Client,
    url: String,
    id: String,
}

/// The response of `AdminGetUser`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    username: String,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
    user_status: Option<String>,
    /// Seconds since 1970.
    user_create_date: Option<f64>,
    #[serde(rename = "UserMFASettingList", default)]
    mfa: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    name: String,
    value: Option<String>,
}

impl UserPool {
    /// The user pool `id`.
    ///
    /// # Errors
    /// If `config` has no region or no credentials.
    pub fn new(config: &SdkConfig, id: String) -> Result<Self, MissingCredentials> {
        let http = sigv4_client::Client::of(config, http_connector())?;
        let url = config.endpoint_url().map(str::to_owned);
        let url = url.unwrap_or_else(|| format!("https://cognito-idp.{}.amazonaws.com", http.region()));
        Ok(Self { http, url: format!("{}/", url.trim_end_matches('/')), id })
    }

    /// What the pool has about a user; null if there is none.
    pub async fn profile(&self, username: &str) -> Result<Value, Failure> {
        let body = json!({"UserPoolId": self.id, "Username": username}).to_string().into_bytes();
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", "AWSCognitoIdentityProviderService.AdminGetUser")
            .body(body)
            .map_err(|error| Failure::bug(DOING, error))?;
        let response = tokio::time::timeout(TIMEOUT, self.http.send("cognito-idp", request)).await;
        let response = response.map_err(|error| Failure::transient(DOING, error))?;
        let response = response.map_err(|error| Failure::transient(DOING, error))?;
        profile(response.status().as_u16(), response.body())
    }
}

/// The profile in a response. The message of an error may hold the name of the user, and is not logged.
fn profile(status: u16, body: &[u8]) -> Result<Value, Failure> {
    if (200..300).contains(&status) {
        let user: User = serde_json::from_slice(body).map_err(|error| Failure::bug(DOING, error))?;
        let attributes: BTreeMap<_, _> = user.user_attributes.into_iter().map(|one| (one.name, one.value)).collect();
        return Ok(json!({
            "username": user.username,
            "attributes": attributes,
            "status": user.user_status,
            "createdAt": user.user_create_date,
            "secondFactors": user.mfa,
        }));
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = body["__type"].as_str().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    if code == "UserNotFoundException" {
        return Ok(Value::Null);
    }
    let is_transient = status >= 500 || status == 429 || error_code::reason(code) == Some("throttled");
    let text = format!("Cognito returned {status}, {}", if code.is_empty() { "without a code" } else { code });
    // A missing permission comes back after the next deployment.
    let is_transient = is_transient || code == "AccessDeniedException";
    Err(if is_transient { Failure::transient(DOING, text) } else { Failure::bug(DOING, text) })
}

#[cfg(test)]
mod tests {
    use function_kit::failure::Kind;
    use proptest::prelude::*;

    use super::*;

    const USER: &str = r#"{"Username":"m","UserAttributes":[{"Name":"email","Value":"m@iyagi.example"},{"Name":"sub","Value":"mina"}],"UserCreateDate":1795305600.5,"UserStatus":"CONFIRMED","Enabled":true,"UserMFASettingList":["SOFTWARE_TOKEN_MFA"]}"#;

    fn kind(status: u16, body: &str) -> Option<Kind> {
        profile(status, body.as_bytes()).err().map(|failure| failure.kind)
    }

    #[test]
    fn profile_has_all_attributes() {
        let profile = profile(200, USER.as_bytes()).expect("a profile");
        let expected = json!({"username": "m", "status": "CONFIRMED", "createdAt": 1_795_305_600.5,
            "attributes": {"email": "m@iyagi.example", "sub": "mina"}, "secondFactors": ["SOFTWARE_TOKEN_MFA"]});
        assert_eq!(profile, expected);
    }

    #[test]
    fn missing_user_has_no_profile_and_other_errors_have_their_kind() {
        assert_eq!(profile(400, br#"{"__type":"UserNotFoundException"}"#).expect("none"), Value::Null);
        assert_eq!(kind(400, r#"{"__type":"TooManyRequestsException"}"#), Some(Kind::Transient));
        assert_eq!(kind(400, r#"{"__type":"AccessDeniedException"}"#), Some(Kind::Transient));
        assert_eq!(kind(503, ""), Some(Kind::Transient));
        assert_eq!(kind(400, r#"{"__type":"InvalidParameterException"}"#), Some(Kind::Bug));
    }

    proptest! {
        #[test]
        fn malformed_user_is_read_or_a_bug_without_its_text(text in malformed_inputs::documents(&[USER])) {
            if let Err(failure) = profile(200, text.as_bytes()) {
                prop_assert_eq!(failure.kind, Kind::Bug);
                prop_assert!(!failure.to_string().contains("iyagi.example"));
            }
        }
    }
}
