//! Tests of the client against a local HTTP server: its requests, and its results for each response.

mod client;
mod reader;
mod sdk_defect;
mod server;

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use neptune_streams::Client;
use server::Server;

const DOCUMENTED_PAGE: &str = include_str!("../documented-page.json");

fn sdk_config() -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("AKIDEXAMPLE", "secret", None)))
        .http_client(Builder::new().build_http())
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(30)).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(aws_smithy_async::rt::sleep::TokioSleep::new()))
        .build()
}

fn client(server: &Server) -> Client {
    Client::new(&sdk_config(), &server.url).expect("a client")
}

/// A client with a timeout of half a second.
fn short_timeout_client(server: &Server) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(500)).build();
    let mut config = sdk_config().into_builder();
    config.set_timeout_config(Some(timeouts));
    Client::new(&config.build(), &server.url).expect("a client")
}
