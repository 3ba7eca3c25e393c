//! Endpoints of the SNS platform application. An endpoint stands for one app on one device.

use api::Problem;
use aws_sdk_sns::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use domain::push::Token;
use function_kit::failure::Failure;
use rest_kit::response::HandlerError;
use serde::{Deserialize, Serialize};

const TOKEN: &str = "Token";
const ENABLED: &str = "Enabled";
const CUSTOM_USER_DATA: &str = "CustomUserData";

/// Client for the endpoints of one platform application.
pub struct Endpoints {
    sns: Client,
    application_arn: String,
    /// Prefix of the ARNs of the application's endpoints. `None` if the application's ARN is malformed.
    prefix: Option<String>,
}

/// Owner of an endpoint, stored as JSON in its custom user data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The user's `sub`.
    pub user: String,
    /// The device's id.
    pub device: String,
}

/// Attributes of an endpoint.
pub struct Attributes {
    token: Option<String>,
    enabled: bool,
    /// `None` if the custom user data is not ours.
    pub owner: Option<Owner>,
}

impl Attributes {
    /// Whether the endpoint already delivers to `owner` by `token`.
    pub fn is_registered(&self, owner: &Owner, token: &Token) -> bool {
        self.enabled && self.has_token(token) && self.owner.as_ref() == Some(owner)
    }

    /// Whether the endpoint belongs to another device: neither owner nor token match.
    pub fn belongs_to_other(&self, owner: &Owner, token: &Token) -> bool {
        self.owner.as_ref().is_some_and(|current| current != owner) && !self.has_token(token)
    }

    fn has_token(&self, token: &Token) -> bool {
        self.token.as_deref() == Some(token.as_str())
    }
}

/// Result of setting an endpoint's attributes.
#[derive(Debug, PartialEq, Eq)]
pub enum SetAttributesOutcome {
    Updated,
    /// The endpoint does not exist.
    NotFound,
    /// Another endpoint has the token. Its ARN.
    TokenTaken(String),
}

impl Endpoints {
    pub fn new(sns: Client, application_arn: String) -> Self {
        let prefix = endpoint_prefix(&application_arn);
        Self { sns, application_arn, prefix }
    }

    /// Whether the endpoint belongs to this application. Endpoints of another one, such as a former one, cannot be
    /// used.
    pub fn contains(&self, endpoint_arn: &str) -> bool {
        self.prefix.as_deref().is_some_and(|prefix| endpoint_arn.starts_with(prefix))
    }

    /// Creates an endpoint for `token`, or finds the existing one, which may be disabled or belong to another owner.
    /// Returns its ARN.
    pub async fn create(&self, token: &Token, owner: &Owner) -> Result<String, HandlerError> {
        let created = self
            .sns
            .create_platform_endpoint()
            .platform_application_arn(&self.application_arn)
            .token(token.as_str())
            .custom_user_data(custom_user_data(owner)?)
            .attributes(ENABLED, "true")
            .send()
            .await;
        match created {
            Ok(response) => {
                let endpoint_arn = response.endpoint_arn;
                endpoint_arn.ok_or_else(|| Failure::bug("create an endpoint", "the response has no ARN").into())
            }
            Err(error) => match existing(&error) {
                Some(endpoint_arn) => Ok(endpoint_arn),
                None => Err(problem_or_failure("create an endpoint", error)),
            },
        }
    }

    /// The endpoint's attributes, or `None` if it does not exist. Eventually consistent.
    pub async fn get(&self, endpoint_arn: &str) -> Result<Option<Attributes>, HandlerError> {
        let response = match self.sns.get_endpoint_attributes().endpoint_arn(endpoint_arn).send().await {
            Ok(response) => response,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(problem_or_failure("read an endpoint", error)),
        };
        let mut attributes = response.attributes.unwrap_or_default();
        Ok(Some(Attributes {
            token: attributes.remove(TOKEN),
            enabled: attributes.get(ENABLED).is_some_and(|enabled| enabled.eq_ignore_ascii_case("true")),
            owner: attributes.get(CUSTOM_USER_DATA).and_then(|data| serde_json::from_str(data).ok()),
        }))
    }

    /// Sets owner and token of the endpoint, and enables it.
    pub async fn set(
        &self,
        endpoint_arn: &str,
        token: &Token,
        owner: &Owner,
    ) -> Result<SetAttributesOutcome, HandlerError> {
        let updated = self
            .sns
            .set_endpoint_attributes()
            .endpoint_arn(endpoint_arn)
            .attributes(TOKEN, token.as_str())
            .attributes(ENABLED, "true")
            .attributes(CUSTOM_USER_DATA, custom_user_data(owner)?)
            .send()
            .await;
        match updated {
            Ok(_) => Ok(SetAttributesOutcome::Updated),
            Err(error) if is_not_found(&error) => Ok(SetAttributesOutcome::NotFound),
            Err(error) => match existing(&error) {
                Some(endpoint_arn) => Ok(SetAttributesOutcome::TokenTaken(endpoint_arn)),
                None => Err(problem_or_failure("set an endpoint's token", error)),
            },
        }
    }

    /// Deletes the endpoint, unless it belongs to another owner by now. A missing endpoint is no error.
    pub async fn release(&self, endpoint_arn: &str, owner: &Owner) -> Result<(), HandlerError> {
        if !self.contains(endpoint_arn) {
            return Ok(());
        }
        let Some(attributes) = self.get(endpoint_arn).await? else { return Ok(()) };
        if attributes.owner.is_some_and(|current| current != *owner) {
            return Ok(());
        }
        let deleted = self.sns.delete_endpoint().endpoint_arn(endpoint_arn).send().await;
        deleted.map(drop).map_err(|error| problem_or_failure("delete an endpoint", error))
    }
}

/// Application `arn:…:app/GCM/<name>` has endpoints `arn:…:endpoint/GCM/<name>/<uuid>`.
fn endpoint_prefix(application_arn: &str) -> Option<String> {
    let (head, name) = application_arn.split_once(":app/")?;
    Some(format!("{head}:endpoint/{name}/"))
}

fn custom_user_data(owner: &Owner) -> Result<String, Failure> {
    serde_json::to_string(owner).map_err(|error| Failure::bug("write an endpoint's owner", error))
}

/// ARN of the endpoint that already has the token. SNS returns it only in the message:
/// `Invalid parameter: Token Reason: Endpoint <ARN> already exists with the same Token, but different attributes.`
fn existing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let (_, rest) = error.message()?.split_once("Endpoint ")?;
    let (endpoint_arn, reason) = rest.split_once(' ')?;
    (endpoint_arn.starts_with("arn:") && reason.starts_with("already exists with the same Token"))
        .then(|| endpoint_arn.to_owned())
}

fn is_not_found<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("NotFound")
}

/// An invalid token or owner is a problem of the client.
fn problem_or_failure<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> HandlerError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let message = error.message().unwrap_or_default();
    match error.code() {
        Some("InvalidParameter") if message.contains("Token Reason:") => {
            Problem::invalid_request("SNS does not accept this token").into()
        }
        Some("InvalidParameter") if message.contains(CUSTOM_USER_DATA) => {
            Problem::invalid_request("the ids of user and device are too long for SNS").into()
        }
        _ => Failure::aws(doing, error).into(),
    }
}
