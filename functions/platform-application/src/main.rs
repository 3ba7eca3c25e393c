//! `platform-application`: the custom resource `Custom::PlatformApplication`, an SNS platform
//! application for FCM with token authentication. CloudFormation has no type for it.
//!
//! Its `Ref` is the application's ARN. Properties:
//!
//! ```text
//! Name                  of the application; another name makes another application
//! CredentialsSecretArn  a secret whose value is the service account's JSON
//! CredentialsVersion    anything; a change of it has the secret read again
//! EventDeliveryFailure, EventEndpointCreated, EventEndpointDeleted, EventEndpointUpdated
//!                       ARNs of topics that are told, each optional
//! ```

mod answer;
mod application;
mod credentials;
mod event;
mod handler;
#[cfg(test)]
mod testing;

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
        answers: answer::Answers { http: aws::http_connector() },
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        handler::handle(&ports, event.payload).await.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
