use std::collections::HashMap;

use aws_sdk_sns::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::set_platform_application_attributes::SetPlatformApplicationAttributesError,
};
use function_kit::failure::Failure;

use crate::event::Feedback;

const PLATFORM: &str = "GCM";
const CREDENTIAL: &str = "PlatformCredential";
const UPDATE: &str = "update the platform application";

/// Client for platform applications of SNS.
pub struct Applications {
    pub sns: Client,
}

/// Name of the application with this ARN (`arn:…:app/GCM/<name>`). `None` for any other text.
pub fn name_in_arn(id: &str) -> Option<&str> {
    id.strip_prefix("arn:")?.split_once(":app/GCM/").map(|(_, name)| name)
}

/// ARN of the application `name` in the account and region of a stack
/// (`arn:<partition>:cloudformation:<region>:<account>:stack/…`).
fn arn(stack_id: &str, name: &str) -> Option<String> {
    let mut parts = stack_id.split(':');
    let ("arn", partition, "cloudformation", region, account) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?)
    else {
        return None;
    };
    Some(format!("arn:{partition}:sns:{region}:{account}:app/{PLATFORM}/{name}"))
}

impl Applications {
    /// Creates the application, or updates the existing one of this name. Returns the ARN.
    ///
    /// CloudFormation and Lambda may deliver the same request twice, so an existing application is no error.
    pub async fn create(
        &self,
        stack_id: &str,
        name: &str,
        credential: String,
        feedback: &Feedback,
    ) -> Result<String, Failure> {
        let attributes = attributes(credential, feedback, &Feedback::default());
        let create = self.sns.create_platform_application().name(name).platform(PLATFORM);
        match create.set_attributes(Some(attributes.clone())).send().await {
            Ok(response) => response
                .platform_application_arn
                .ok_or_else(|| Failure::bug("create the platform application", "the response has no ARN")),
            Err(error) if already_exists(&error) => {
                let arn = arn(stack_id, name).ok_or_else(|| Failure::bug(UPDATE, "the stack's id is no ARN"))?;
                self.set_attributes(&arn, attributes).await.map_err(|error| Failure::aws(UPDATE, error))?;
                Ok(arn)
            }
            Err(error) => Err(Failure::aws("create the platform application", error)),
        }
    }

    /// Sets the application's attributes, and removes topics and roles that only `previous` has. `false` if the application
    /// does not exist.
    pub async fn update(
        &self,
        arn: &str,
        credential: String,
        feedback: &Feedback,
        previous: &Feedback,
    ) -> Result<bool, Failure> {
        match self.set_attributes(arn, attributes(credential, feedback, previous)).await {
            Ok(()) => Ok(true),
            Err(error) if error.code() == Some("NotFound") => Ok(false),
            Err(error) => Err(Failure::aws(UPDATE, error)),
        }
    }

    /// Deletes the application with all its endpoints. A missing application is no error.
    pub async fn delete(&self, arn: &str) -> Result<(), Failure> {
        match self.sns.delete_platform_application().platform_application_arn(arn).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NotFound") => Ok(()),
            Err(error) => Err(Failure::aws("delete the platform application", error)),
        }
    }

    async fn set_attributes(
        &self,
        arn: &str,
        attributes: HashMap<String, String>,
    ) -> Result<(), SdkError<SetPlatformApplicationAttributesError, HttpResponse>> {
        let set = self.sns.set_platform_application_attributes().platform_application_arn(arn);
        set.set_attributes(Some(attributes)).send().await.map(drop)
    }
}

fn already_exists<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("InvalidParameter")
        && error.message().is_some_and(|message| message.contains("already exists"))
}

/// Attributes for token authentication: the service account is the credential, and there is no principal.
fn attributes(credential: String, feedback: &Feedback, previous: &Feedback) -> HashMap<String, String> {
    let mut attributes = HashMap::from([(CREDENTIAL.to_owned(), credential)]);
    for ((name, value), (_, previous)) in feedback.attributes().into_iter().zip(previous.attributes()) {
        // An empty text removes a topic or a role.
        if let Some(value) = value.or(previous.map(|_| "")) {
            attributes.insert(name.to_owned(), value.to_owned());
        }
    }
    attributes
}
