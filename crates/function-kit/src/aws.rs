//! How functions reach AWS.
//!
//! Lambda provides credentials, region and endpoints in environment variables, and only those are read. The default chain
//! of `aws-config` also looks for profiles, roles and instance metadata, and loads the certificates of the system at start.

mod connector;
mod endpoints;
mod trust;

use std::{env, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::http_client_fn;
use aws_types::sdk_config::SharedCredentialsProvider;

use self::endpoints::Endpoints;
pub use self::{connector::http_connector, endpoints::endpoint_url};

/// The configuration of all SDK clients. They share one HTTP connector.
pub fn sdk_config() -> SdkConfig {
    let connector = http_connector();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .region(env::var("AWS_REGION").ok().map(Region::new))
        .service_config(Endpoints)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        // Shorter than the timeout of every function, so that a hanging call fails alone and not with its batch.
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_secs(10))
                .operation_timeout(Duration::from_secs(20))
                .build(),
        );
    config.set_endpoint_url(endpoints::of_all_services());
    config.build()
}
