//! What one request costs this function: from the event to the answer, with the SDK's clients over an
//! HTTP client that answers at once ([`replay`]). Serialising, signing, reading and links are all in
//! it; the network and the table are not.
//!
//! `cargo xtask bench api` runs it and keeps the figures: a line of JSON each.

mod replay;

use std::{
    error::Error,
    time::{Duration, Instant},
};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use jiff::Timestamp;
use media_api::{
    handler::{Ports, handle},
    links::{Links, Signing, SigningKey},
    originals::Originals,
};
use replay::Replay;
use rest_kit::page_token::LazyTokenCipher;
use serde_json::{Value, json};
use store::{audience::AudienceTable, media::MediaTable, relations::Relations};
use tokio::sync::OnceCell;

const REQUESTS: u32 = 4_000;

/// What is asked, and how it ought to go.
struct Case {
    name: &'static str,
    route: &'static str,
    visibility: &'static str,
    query: Value,
    /// Milliseconds.
    p99_at_most: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn Error>> {
    let item = "GET /v1/media/{id}";
    let list = "GET /v1/media";
    let page = json!({"owner": replay::OWNER, "limit": replay::PAGE.to_string()});
    let cases = [
        Case { name: "one public item", route: item, visibility: "public", query: json!({}), p99_at_most: 2.0 },
        Case {
            name: "one item for followers",
            route: item,
            visibility: "followers",
            query: json!({}),
            p99_at_most: 2.0,
        },
        Case { name: "50 public items", route: list, visibility: "public", query: page.clone(), p99_at_most: 5.0 },
        Case { name: "50 items for followers", route: list, visibility: "followers", query: page, p99_at_most: 5.0 },
    ];
    for case in cases {
        let replay = Replay::of(case.visibility);
        let ports = ports(&replay)?;
        let request = request(&case)?;
        // The first request reads secrets.
        let bytes = answered(&ports, &request).await?;
        let calls = replay.calls();
        let mut took = Vec::new();
        for _ in 0..REQUESTS {
            let begin = Instant::now();
            answered(&ports, &request).await?;
            took.push(begin.elapsed());
        }
        took.sort_unstable();
        println!(
            "{}",
            json!({
                "row": case.name, "p50_ms": at(&took, 50), "p99_ms": at(&took, 99), "p99_ms_at_most": case.p99_at_most,
                "answer_bytes": bytes, "dynamodb_calls": f64::from(replay.calls() - calls) / f64::from(REQUESTS),
            })
        );
    }
    Ok(())
}

/// Milliseconds, to the hundredth.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    let duration = sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)];
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// How many bytes the answer has, which must be one.
async fn answered(ports: &Ports, request: &ApiGatewayV2httpRequest) -> Result<usize, Box<dyn Error>> {
    let answer = handle(ports, request, Timestamp::now()).await;
    match answer.body {
        Some(body) if answer.status_code == 200 => Ok(body.len()),
        body => Err(format!("{}: {body:?}", answer.status_code).into()),
    }
}

fn request(case: &Case) -> Result<ApiGatewayV2httpRequest, serde_json::Error> {
    serde_json::from_value(json!({
        "version": "2.0", "routeKey": case.route, "rawPath": "/", "rawQueryString": "", "headers": {},
        "pathParameters": {"id": replay::id(0)}, "queryStringParameters": case.query, "isBase64Encoded": false,
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": {"sub": replay::FOLLOWER, "token_use": "access"}, "scopes": []}}
        }
    }))
}

fn ports(replay: &Replay) -> Result<Ports, Box<dyn Error>> {
    let aws = replay.sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    Ok(Ports {
        table: MediaTable::new(dynamodb.clone(), replay::MEDIA.into()),
        relations: Relations { audience: AudienceTable::new(dynamodb, replay::AUDIENCE.into()) },
        originals: Originals { s3: aws_sdk_s3::Client::new(&aws), bucket: "originals".into() },
        links: Links {
            base_url: "https://d111111abcdef8.cloudfront.net".into(),
            signing: Signing::CloudFront(Box::new(SigningKey {
                secrets: secrets.clone(),
                secret_arn: replay::SIGNING_KEY.into(),
                key_id: "K2JCJMDEHXQW5F".into(),
                addresses: OnceCell::new(),
            })),
        },
        cipher: LazyTokenCipher::new(secrets, "sealing".into()),
    })
}
