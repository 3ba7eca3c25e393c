//! The AWS SDK as a client of the emulator.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sns::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use serde_json::json;

/// A client with these credentials and this maximum of attempts per call.
pub fn sdk(endpoint: String, access_key: &str, secret: &str, attempts: u32) -> Client {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(access_key, secret, None)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(
            RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::from_millis(1)),
        )
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .endpoint_url(endpoint)
        .build();
    Client::new(&config)
}

/// Status, code and message.
pub type ServiceError = (u16, String, String);

/// Status, code and message of an SDK error.
pub fn service_error<E: ProvideErrorMetadata + std::error::Error + 'static>(error: SdkError<E>) -> ServiceError {
    let Some(response) = error.raw_response() else { panic!("no response: {}", DisplayErrorContext(&error)) };
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (response.status().as_u16(), text(error.code()), text(error.message()))
}

/// Creates the platform application `iyagi` and returns its ARN.
pub async fn create_application(sns: &Client) -> Result<String, ServiceError> {
    let account = json!({
        "type": "service_account", "project_id": "iyagi", "client_email": "push@iyagi.example",
        "private_key": "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----\n",
    });
    let created = sns.create_platform_application().name("iyagi").platform("GCM");
    let created = created.attributes("PlatformCredential", account.to_string()).send().await.map_err(service_error)?;
    Ok(created.platform_application_arn().expect("an ARN").to_owned())
}

/// Creates an endpoint and returns its ARN.
pub async fn create_endpoint(sns: &Client, application: &str, token: &str) -> Result<String, ServiceError> {
    let created = sns.create_platform_endpoint().platform_application_arn(application).token(token);
    Ok(created.send().await.map_err(service_error)?.endpoint_arn().expect("an ARN").to_owned())
}
