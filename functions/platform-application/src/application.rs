use std::collections::HashMap;

use aws_sdk_sns::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use function_kit::failure::Failure;

use crate::event::Events;

const PLATFORM: &str = "GCM";
const CREDENTIAL: &str = "PlatformCredential";

/// The platform applications of SNS.
pub struct Applications {
    pub sns: Client,
}

/// The name in an application's ARN (`arn:…:app/GCM/<name>`); nothing if `id` is none.
pub fn name(id: &str) -> Option<&str> {
    id.strip_prefix("arn:")?.split_once(":app/GCM/").map(|(_, name)| name)
}

/// The ARN of the application `name` beside a stack (`arn:<partition>:cloudformation:<region>:<account>:stack/…`).
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
    /// Makes sure that there is an application `name`, with these attributes; its ARN.
    ///
    /// An application of this name that is there is taken: CloudFormation, and Lambda for it, may
    /// ask for the same creation twice.
    pub async fn create(
        &self,
        stack_id: &str,
        name: &str,
        credential: String,
        events: &Events,
    ) -> Result<String, Failure> {
        let attributes = attributes(credential, events, &Events::default());
        let create = self.sns.create_platform_application().name(name).platform(PLATFORM);
        match create.set_attributes(Some(attributes.clone())).send().await {
            Ok(answer) => answer
                .platform_application_arn
                .ok_or_else(|| Failure::bug("create the platform application", "SNS told no ARN of it")),
            Err(error) if is_there(&error) => {
                let arn = arn(stack_id, name)
                    .ok_or_else(|| Failure::bug("name the platform application", "the stack's id is no ARN"))?;
                self.set(&arn, attributes)
                    .await
                    .map_err(|error| Failure::aws("update the platform application", error))?;
                Ok(arn)
            }
            Err(error) => Err(Failure::aws("create the platform application", error)),
        }
    }

    /// Gives the application these attributes; what only `before` has is taken away. Says whether
    /// there is such an application.
    pub async fn update(
        &self,
        arn: &str,
        credential: String,
        events: &Events,
        before: &Events,
    ) -> Result<bool, Failure> {
        match self.set(arn, attributes(credential, events, before)).await {
            Ok(()) => Ok(true),
            Err(error) if error.code() == Some("NotFound") => Ok(false),
            Err(error) => Err(Failure::aws("update the platform application", error)),
        }
    }

    /// Deletes the application with all its endpoints. One that is not there is no error.
    pub async fn delete(&self, arn: &str) -> Result<(), Failure> {
        match self.sns.delete_platform_application().platform_application_arn(arn).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NotFound") => Ok(()),
            Err(error) => Err(Failure::aws("delete the platform application", error)),
        }
    }

    async fn set(
        &self,
        arn: &str,
        attributes: HashMap<String, String>,
    ) -> Result<
        (),
        SdkError<
            aws_sdk_sns::operation::set_platform_application_attributes::SetPlatformApplicationAttributesError,
            HttpResponse,
        >,
    > {
        let set = self.sns.set_platform_application_attributes().platform_application_arn(arn);
        set.set_attributes(Some(attributes)).send().await.map(drop)
    }
}

fn is_there<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("InvalidParameter")
        && error.message().is_some_and(|message| message.contains("already exists"))
}

/// Token authentication: the service account is the credential, and there is no principal.
fn attributes(credential: String, events: &Events, before: &Events) -> HashMap<String, String> {
    let mut attributes = HashMap::from([(CREDENTIAL.to_owned(), credential)]);
    for ((name, topic), (_, before)) in events.attributes().into_iter().zip(before.attributes()) {
        // An empty text takes the topic away.
        if let Some(topic) = topic.or(before.map(|_| "")) {
            attributes.insert(name.to_owned(), topic.to_owned());
        }
    }
    attributes
}
