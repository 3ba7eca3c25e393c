//! The endpoints of the SNS platform application: what leads to one app on one phone.

use api::Problem;
use aws_sdk_sns::config::http::HttpResponse;
use aws_sdk_sns::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use domain::push::Token;
use function_kit::failure::Failure;
use serde::{Deserialize, Serialize};

use crate::error::Error;

const TOKEN: &str = "Token";
const ENABLED: &str = "Enabled";
const CUSTOM_USER_DATA: &str = "CustomUserData";

/// How SNS is asked.
pub struct Endpoints {
    sns: Client,
    application_arn: String,
    /// What the ARNs of the application's endpoints start with; nothing if the application's own is none.
    prefix: Option<String>,
}

/// Whose an endpoint is: its custom user data, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The user's `sub`.
    pub user: String,
    /// The device's id.
    pub device: String,
}

/// What SNS says of an endpoint.
pub struct Attributes {
    token: Option<String>,
    enabled: bool,
    /// Nothing if it is nobody's, or was made by somebody else's program.
    pub owner: Option<Owner>,
}

impl Attributes {
    /// Whether nothing is left to do for `owner` to be reached by `token`.
    pub fn delivery_targets(&self, owner: &Owner, token: &Token) -> bool {
        self.enabled && self.has(token) && self.owner.as_ref() == Some(owner)
    }

    /// Whether the endpoint leads to another's phone: it is not `owner`'s, and its token is not `token`.
    pub fn is_anothers(&self, owner: &Owner, token: &Token) -> bool {
        self.owner.as_ref().is_some_and(|found| found != owner) && !self.has(token)
    }

    fn has(&self, token: &Token) -> bool {
        self.token.as_deref() == Some(token.as_str())
    }
}

/// What became of new attributes.
#[derive(Debug, PartialEq, Eq)]
pub enum Set {
    Done,
    /// There is no such endpoint any more.
    Gone,
    /// Another endpoint has the token: this one.
    Taken(String),
}

impl Endpoints {
    pub fn new(sns: Client, application_arn: String) -> Self {
        let prefix = endpoint_prefix(&application_arn);
        Self { sns, application_arn, prefix }
    }

    /// Whether the endpoint is the application's: another's, such as a former one's, is out of reach.
    pub fn has(&self, endpoint_arn: &str) -> bool {
        self.prefix.as_deref().is_some_and(|prefix| endpoint_arn.starts_with(prefix))
    }

    /// The endpoint for `token`: a new one, or the one there is, which may be another's or disabled.
    pub async fn create(&self, token: &Token, owner: &Owner) -> Result<String, Error> {
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
            Ok(answer) => {
                answer.endpoint_arn.ok_or_else(|| Failure::bug("create an endpoint", "SNS told no ARN of it").into())
            }
            Err(error) => match existing(&error) {
                Some(endpoint_arn) => Ok(endpoint_arn),
                None => Err(refused_or_failed("create an endpoint", error)),
            },
        }
    }

    /// What SNS says of the endpoint, if there is such an endpoint; eventually consistent.
    pub async fn get(&self, endpoint_arn: &str) -> Result<Option<Attributes>, Error> {
        let answer = match self.sns.get_endpoint_attributes().endpoint_arn(endpoint_arn).send().await {
            Ok(answer) => answer,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(refused_or_failed("look at an endpoint", error)),
        };
        let mut attributes = answer.attributes.unwrap_or_default();
        Ok(Some(Attributes {
            token: attributes.remove(TOKEN),
            enabled: attributes.get(ENABLED).is_some_and(|enabled| enabled.eq_ignore_ascii_case("true")),
            owner: attributes.get(CUSTOM_USER_DATA).and_then(|data| serde_json::from_str(data).ok()),
        }))
    }

    /// Gives the endpoint to `owner`, with `token`, and enables it.
    pub async fn set(&self, endpoint_arn: &str, token: &Token, owner: &Owner) -> Result<Set, Error> {
        let set = self
            .sns
            .set_endpoint_attributes()
            .endpoint_arn(endpoint_arn)
            .attributes(TOKEN, token.as_str())
            .attributes(ENABLED, "true")
            .attributes(CUSTOM_USER_DATA, custom_user_data(owner)?)
            .send()
            .await;
        match set {
            Ok(_) => Ok(Set::Done),
            Err(error) if is_not_found(&error) => Ok(Set::Gone),
            Err(error) => match existing(&error) {
                Some(endpoint_arn) => Ok(Set::Taken(endpoint_arn)),
                None => Err(refused_or_failed("set an endpoint's token", error)),
            },
        }
    }

    /// Deletes the endpoint, unless it is somebody else's by now. One that is not there is no error.
    pub async fn release(&self, endpoint_arn: &str, owner: &Owner) -> Result<(), Error> {
        if !self.has(endpoint_arn) {
            return Ok(());
        }
        let Some(found) = self.get(endpoint_arn).await? else { return Ok(()) };
        if found.owner.is_some_and(|found| found != *owner) {
            return Ok(());
        }
        let deleted = self.sns.delete_endpoint().endpoint_arn(endpoint_arn).send().await;
        deleted.map(drop).map_err(|error| refused_or_failed("delete an endpoint", error))
    }
}

/// `arn:…:app/GCM/<name>` has endpoints `arn:…:endpoint/GCM/<name>/<uuid>`.
fn endpoint_prefix(application_arn: &str) -> Option<String> {
    let (head, name) = application_arn.split_once(":app/")?;
    Some(format!("{head}:endpoint/{name}/"))
}

fn custom_user_data(owner: &Owner) -> Result<String, Failure> {
    serde_json::to_string(owner).map_err(|error| Failure::bug("name an endpoint's owner", error))
}

/// The endpoint that has the token already, according to the error. SNS tells it nowhere but in the text:
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

/// What SNS refuses for the client's sake is the client's to change. What it refuses for the
/// stack's sake (no such application, a disabled one, a missing permission) somebody must look at.
fn refused_or_failed<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let message = error.message().unwrap_or_default();
    match error.code() {
        Some("InvalidParameter") if message.contains("Token Reason:") => {
            Problem::invalid_request("SNS does not take this token").into()
        }
        Some("InvalidParameter") if message.contains(CUSTOM_USER_DATA) => {
            Problem::invalid_request("the names of user and device are too long for SNS").into()
        }
        Some("AuthorizationError" | "NotFound" | "PlatformApplicationDisabled") => Failure::bug(doing, error).into(),
        _ => Failure::aws(doing, error).into(),
    }
}
