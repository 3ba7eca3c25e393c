//! `platform-application`: the custom resource `Custom::PlatformApplication`, an SNS platform application for FCM
//! with token authentication. CloudFormation has no resource type for it.
//!
//! `Ref` returns the application's ARN. Properties:
//!
//! ```text
//! Name                  of the application; a new name creates a new application
//! CredentialsSecretArn  secret whose value is the service account's JSON
//! CredentialsVersion    any text; a new one makes CloudFormation update the resource, which reads the secret again
//! EventDeliveryFailure, EventEndpointCreated, EventEndpointDeleted, EventEndpointUpdated
//!                       ARNs of SNS topics for these events, each optional
//! ```

mod application;
mod credentials;
mod event;
mod handler;
mod response_sender;
#[cfg(test)]
mod tests;

use function_kit::{aws, logs};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let aws = aws::sdk_config();
    let ports = handler::Ports {
        applications: application::Applications { sns: aws_sdk_sns::Client::new(&aws) },
        credentials: credentials::Credentials { secrets: aws_sdk_secretsmanager::Client::new(&aws) },
        responses: response_sender::ResponseSender { http: aws::http_connector() },
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        handler::handle(&ports, event.payload).await.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
