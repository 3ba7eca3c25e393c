//! The user pool. Cognito is called without its SDK, which would be one of the largest dependencies.

use std::time::Duration;

use aws_config::SdkConfig;
use function_kit::{
    aws::http_connector,
    error_code,
    failure::{Failure, Kind},
};
use http::{Method, Request, header::CONTENT_TYPE};
use serde_json::{Value, json};
use sigv4_client::MissingCredentials;

/// Timeout of one call, shorter than that of the function.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The error for a user who does not exist.
const NOT_FOUND: &str = "UserNotFoundException";

/// A user pool of Cognito.
pub struct UserPool {
    http: sigv4_client::Client,
    url: String,
    id: String,
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

    /// Prevents new sign-ins and revokes refresh tokens. A missing user is no error.
    pub async fn lock(&self, username: &str) -> Result<(), Failure> {
        self.call("lock a user", "AdminDisableUser", username).await?;
        self.call("sign a user out", "AdminUserGlobalSignOut", username).await
    }

    /// Deletes the user. A missing user is no error.
    pub async fn delete(&self, username: &str) -> Result<(), Failure> {
        self.call("delete a user", "AdminDeleteUser", username).await
    }

    async fn call(&self, doing: &'static str, action: &str, username: &str) -> Result<(), Failure> {
        let body = json!({"UserPoolId": self.id, "Username": username}).to_string().into_bytes();
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{action}"))
            .body(body)
            .map_err(|error| Failure::bug(doing, error))?;
        let response = tokio::time::timeout(TIMEOUT, self.http.send("cognito-idp", request)).await;
        let response = response.map_err(|error| Failure::transient(doing, error))?;
        let response = response.map_err(|error| Failure::transient(doing, error))?;
        outcome(doing, response.status().as_u16(), response.body())
    }
}

/// The outcome of a call. The message of an error may hold the name of the user, and is not logged.
fn outcome(doing: &'static str, status: u16, body: &[u8]) -> Result<(), Failure> {
    if (200..300).contains(&status) {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = body["__type"].as_str().map(|code| code.rsplit('#').next().unwrap_or_default());
    if code == Some(NOT_FOUND) {
        return Ok(());
    }
    let text = format!("Cognito returned {status}, {}", code.unwrap_or("without a code"));
    Err(match error_code::kind(status, code) {
        Kind::Transient => Failure::transient(doing, text),
        Kind::Bug => Failure::bug(doing, text),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(status: u16, body: &str) -> Option<Kind> {
        outcome("delete a user", status, body.as_bytes()).err().map(|failure| failure.kind)
    }

    #[test]
    fn missing_user_is_deleted_already_and_other_errors_have_their_kind() {
        assert_eq!(kind(200, "{}"), None);
        assert_eq!(kind(400, r#"{"__type":"UserNotFoundException","message":"no user m"}"#), None);
        for code in [
            "AccessDeniedException",
            "ExpiredTokenException",
            "InternalErrorException",
            "InvalidSignatureException",
            "NotAuthorizedException",
            "ResourceNotFoundException",
            "TooManyRequestsException",
            "com.amazon.coral.service#UnrecognizedClientException",
        ] {
            let body = json!({"__type": code, "message": "no"}).to_string();
            assert_eq!(kind(400, &body), Some(Kind::Transient), "{code}");
        }
        for (status, body) in [(503, ""), (400, ""), (400, "<html>"), (403, "{}"), (400, r#"{"__type":7}"#)] {
            assert_eq!(kind(status, body), Some(Kind::Transient), "{status} {body}");
        }
        assert_eq!(kind(400, r#"{"__type":"InvalidParameterException"}"#), Some(Kind::Bug));
    }

    proptest! {
        #[test]
        fn error_never_shows_the_message(text in "[a-z]{12,20}") {
            let body = json!({"__type": "InvalidParameterException", "message": text}).to_string();
            let failure = outcome("delete a user", 400, body.as_bytes()).expect_err("a failure");
            prop_assert!(!failure.to_string().contains(&text));
        }
    }
}
