//! Measures a request from event to response, with SDK clients on an HTTP client that responds at once ([`fake_aws`]). The
//! measurement includes serialising, signing and deserialising. It excludes network and tables.
//!
//! `cargo xtask bench api` runs it and stores the figures, one line of JSON each.

mod fake_aws;

use std::{
    error::Error,
    time::{Duration, Instant},
};

use aws_lambda_events::{apigw::ApiGatewayV2httpRequest, encodings::Body};
use fake_aws::FakeAws;
use inbox_api::handler::{Ports, handle};
use jiff::Timestamp;
use rest_kit::page_token::LazyTokenCipher;
use serde_json::{Value, json};
use store::{
    audience::AudienceTable,
    inbox::{InboxTable, ReadMarks},
};

const REQUESTS: u32 = 4_000;

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn Error>> {
    let aws = FakeAws::new();
    let ports = ports(&aws);
    let request = request()?;
    let now = Timestamp::now();
    // The first request reads the secret.
    let bytes = send(&ports, &request, now).await?;
    let calls = aws.calls();
    let mut took = Vec::new();
    for _ in 0..REQUESTS {
        let start = Instant::now();
        send(&ports, &request, now).await?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    println!(
        "{}",
        json!({
            "row": "50 notifications", "p50_ms": percentile(&took, 50), "p99_ms": percentile(&took, 99),
            "p99_ms_at_most": 5.0, "answer_bytes": bytes,
            "dynamodb_calls": f64::from(aws.calls() - calls) / f64::from(REQUESTS),
        })
    );
    Ok(())
}

/// In milliseconds with two decimals.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let duration = sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)];
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// Returns the size of the response, which must be a full page.
async fn send(ports: &Ports, request: &ApiGatewayV2httpRequest, now: Timestamp) -> Result<usize, Box<dyn Error>> {
    let response = handle(ports, now, request).await;
    match response.body {
        Some(Body::Text(body))
            if response.status_code == 200 && body.matches("\"title\"").count() == fake_aws::PAGE =>
        {
            Ok(body.len())
        }
        body => Err(format!("{}: {body:?}", response.status_code).into()),
    }
}

fn request() -> Result<ApiGatewayV2httpRequest, serde_json::Error> {
    let claims: Value = json!({"sub": fake_aws::USER, "token_use": "access"});
    serde_json::from_value(json!({
        "version": "2.0", "routeKey": "GET /v1/notifications", "rawPath": "/", "headers": {},
        "rawQueryString": format!("limit={}", fake_aws::PAGE), "isBase64Encoded": false,
        "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": claims, "scopes": []}}}
    }))
}

fn ports(aws: &FakeAws) -> Ports {
    let config = aws.sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    Ports {
        inbox: InboxTable::new(dynamodb.clone(), "inbox".into()),
        read_marks: ReadMarks::new(dynamodb.clone(), "inbox-read".into()),
        audience: AudienceTable::new(dynamodb, fake_aws::AUDIENCE.into()),
        cipher: LazyTokenCipher::new(aws_sdk_secretsmanager::Client::new(&config), "sealing".into()),
    }
}
