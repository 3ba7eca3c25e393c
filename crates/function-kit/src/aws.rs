//! How functions reach AWS.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;

/// rustls on ring: the SDK's default, aws-lc, gathers jitter entropy in the first TLS call, which
/// costs 30 ms of CPU there.
const TLS: Provider = Provider::Rustls(CryptoMode::Ring);

/// Credentials, region and endpoint from the environment, one HTTP client for all SDK clients.
pub async fn sdk_config() -> SdkConfig {
    let http_client = Builder::new().tls_provider(TLS).build_https();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        // Below every function's own timeout, so that a hanging call fails alone and not with its batch.
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(2))
                .operation_attempt_timeout(Duration::from_secs(10))
                .operation_timeout(Duration::from_secs(20))
                .build(),
        )
        .load()
        .await
}

/// For the rare request that no SDK client makes: HTTP as the SDK speaks it, without its retries.
pub fn http_connector() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::builder().tls_provider(TLS).build())
}
