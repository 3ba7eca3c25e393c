//! Measures a request from event to response, with SDK clients on an HTTP client that responds at once ([`fake_aws`]). The
//! measurement includes serialising, signing, deserialising and links. It excludes network and table.
//!
//! `cargo xtask bench api` runs it and stores the figures, one line of JSON each.

mod fake_aws;

use std::{
    error::Error,
    time::{Duration, Instant},
};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use fake_aws::FakeAws;
use function_kit::metrics::Metrics;
use jiff::Timestamp;
use media_api::{
    handler::{Ports, handle},
    links::{Links, Signing},
    originals::Originals,
    reports::Reports,
    signing_key::{SigningKey, TrustedKey},
};
use rest_kit::page_token::LazyTokenCipher;
use serde_json::{Value, json};
use store::{
    audience::AudienceTable, media::MediaTable, quotas::QuotasTable, relations::Relations, reports::ReportTable,
};

const REQUESTS: u32 = 4_000;

/// The length of a window of links.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// A kind of request and its limit.
struct Case {
    name: &'static str,
    route: &'static str,
    visibility: &'static str,
    query: Value,
    /// Whether each request is the first in its window of links, so that nothing is signed yet.
    is_first: bool,
    /// Milliseconds.
    max_p99: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn Error>> {
    let item = "GET /v1/media/{id}";
    let list = "GET /v1/media";
    let page = json!({"owner": fake_aws::OWNER, "limit": fake_aws::PAGE.to_string()});
    let cases = [
        Case {
            name: "one public item",
            route: item,
            visibility: "public",
            query: json!({}),
            is_first: false,
            max_p99: 2.0,
        },
        Case {
            name: "one item for followers",
            route: item,
            visibility: "followers",
            query: json!({}),
            is_first: false,
            max_p99: 2.0,
        },
        Case {
            name: "50 public items",
            route: list,
            visibility: "public",
            query: page.clone(),
            is_first: false,
            max_p99: 5.0,
        },
        Case {
            name: "50 items for followers",
            route: list,
            visibility: "followers",
            query: page.clone(),
            is_first: false,
            max_p99: 5.0,
        },
        Case {
            name: "50 items for followers, first",
            route: list,
            visibility: "followers",
            query: page,
            is_first: true,
            max_p99: 5.0,
        },
    ];
    for case in cases {
        let aws = FakeAws::new(case.visibility);
        let ports = ports(&aws);
        let request = request(&case)?;
        // The first request reads secrets.
        let mut now = Timestamp::now();
        let bytes = send(&ports, &request, now).await?;
        let calls = aws.calls();
        let mut took = Vec::new();
        for _ in 0..REQUESTS {
            if case.is_first {
                now += WINDOW;
            }
            let start = Instant::now();
            send(&ports, &request, now).await?;
            took.push(start.elapsed());
        }
        took.sort_unstable();
        println!(
            "{}",
            json!({
                "row": case.name, "p50_ms": percentile(&took, 50), "p99_ms": percentile(&took, 99),
                "p99_ms_at_most": case.max_p99, "answer_bytes": bytes,
                "dynamodb_calls": f64::from(aws.calls() - calls) / f64::from(REQUESTS),
            })
        );
    }
    Ok(())
}

/// In milliseconds with two decimals.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let duration = sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)];
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// Returns the size of the response, which must be a success.
async fn send(ports: &Ports, request: &ApiGatewayV2httpRequest, now: Timestamp) -> Result<usize, Box<dyn Error>> {
    let response = handle(ports, request, now).await;
    match response.body {
        Some(body) if response.status_code == 200 => Ok(body.len()),
        body => Err(format!("{}: {body:?}", response.status_code).into()),
    }
}

fn request(case: &Case) -> Result<ApiGatewayV2httpRequest, serde_json::Error> {
    serde_json::from_value(json!({
        "version": "2.0", "routeKey": case.route, "rawPath": "/", "headers": {},
        "pathParameters": {"id": fake_aws::id(0)}, "rawQueryString": serde_urlencoded::to_string(&case.query).expect("a query"),
        "isBase64Encoded": false,
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {"sub": fake_aws::FOLLOWER, "token_use": "access"}, "scopes": []}}
        }
    }))
}

fn ports(aws: &FakeAws) -> Ports {
    let config = aws.sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    Ports {
        table: MediaTable::new(dynamodb.clone(), fake_aws::MEDIA.into()),
        relations: Relations { audience: AudienceTable::new(dynamodb.clone(), fake_aws::AUDIENCE.into()) },
        reports: Reports {
            table: ReportTable::new(dynamodb.clone(), "reports".into()),
            quotas: QuotasTable::new(dynamodb, "quotas".into()),
            per_day: 1,
            metrics: Metrics::of("media-api"),
        },
        originals: Originals { s3: aws_sdk_s3::Client::new(&config), bucket: "originals".into() },
        links: Links {
            base_url: "https://d111111abcdef8.cloudfront.net".into(),
            signing: Signing::CloudFront(Box::new(SigningKey::new(
                secrets.clone(),
                fake_aws::SIGNING_KEY.into(),
                vec![TrustedKey { id: "K2JCJMDEHXQW5F".into(), public_key: None }],
            ))),
        },
        cipher: LazyTokenCipher::new(secrets, "sealing".into()),
    }
}
