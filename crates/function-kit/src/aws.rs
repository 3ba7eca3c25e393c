//! How functions reach AWS.
//!
//! The SDK's own way through `aws-config` is for every machine there is: profiles, roles to assume,
//! instance metadata, the system's certificates. All of that would be linked into each function, and the
//! certificates be parsed again for each client while it starts. Lambda says everything in the
//! environment, so that is all that is read here (`docs/benchmarks/startup.md` has what it saves).

mod connector;
mod endpoints;
mod http_client;
mod tls;
mod trust;

use std::{env, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};
use aws_types::sdk_config::SharedCredentialsProvider;

use self::endpoints::Endpoints;

/// For a name, a connection and a TLS handshake.
const CONNECT: Duration = Duration::from_secs(2);

/// Credentials, region and endpoints as Lambda gives them, one HTTP client for all SDK clients.
pub fn sdk_config() -> SdkConfig {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .region(env::var("AWS_REGION").ok().map(Region::new))
        .service_config(Endpoints)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .http_client(SharedHttpClient::new(http_client::Client::default()))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        // Below every function's own timeout, so that a hanging call fails alone and not with its batch.
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(Duration::from_secs(10))
                .operation_timeout(Duration::from_secs(20))
                .build(),
        );
    config.set_endpoint_url(endpoints::of_all_services());
    config.build()
}

/// For the rare request that no SDK client makes: HTTP as the SDK speaks it, without its retries.
pub fn http_connector() -> SharedHttpConnector {
    http_client::connector(CONNECT)
}
