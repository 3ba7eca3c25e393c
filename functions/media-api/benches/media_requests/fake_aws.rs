//! Fake AWS services that respond at once: one page of media items of realistic size, and the secrets.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::{graph::Position, media::MediaId, push::Register};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};

pub const OWNER: &str = "0d6b1f6e-51a5-4f4c-9d5e-7a44fd1f5d0c";
pub const FOLLOWER: &str = "7f3f2a7c-02c8-4f0e-8f4b-2f0b3a6f7e11";
pub const MEDIA: &str = "media";
pub const AUDIENCE: &str = "audience";
pub const SIGNING_KEY: &str = "signing-key";
/// The number of items on the page.
pub const PAGE: usize = 50;

/// The id of an item.
pub fn id(number: usize) -> MediaId {
    MediaId::of_key(&format!("photo/{OWNER}/{number}"))
}

/// The services and the number of calls.
pub struct FakeAws {
    responses: Arc<Responses>,
    calls: Arc<AtomicU32>,
}

struct Responses {
    item: String,
    page: String,
    follows: String,
    sealing_secret: String,
    signing_key: String,
}

impl FakeAws {
    /// Services with items of this visibility.
    pub fn new(visibility: &str) -> Self {
        // One more than requested, so there is a next page.
        let rows: Vec<_> = (0..=PAGE).map(|number| row(number, visibility)).collect();
        let register = Register::new(Position::new(1, 1), "").to_string();
        let follower = json!({
            "pk": {"S": format!("followers#{OWNER}")}, "sk": {"S": FOLLOWER}, "r:edge#e": {"S": register},
        });
        let responses = Responses {
            item: json!({"Item": rows[0]}).to_string(),
            page: json!({"Items": rows, "Count": PAGE + 1, "ScannedCount": PAGE + 1}).to_string(),
            follows: json!({"Responses": {AUDIENCE: [follower]}, "UnprocessedKeys": {}}).to_string(),
            sealing_secret: json!({"SecretString": "0123456789abcdef0123456789abcdef"}).to_string(),
            signing_key: json!({"SecretString": signing_key()}).to_string(),
        };
        Self { responses: Arc::new(responses), calls: Arc::default() }
    }

    /// The number of calls to DynamoDB so far.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The configuration for SDK clients.
    pub fn sdk_config(&self) -> SdkConfig {
        let (responses, calls) = (self.responses.clone(), self.calls.clone());
        let http = infallible_client_fn(move |request| {
            let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
            let operation = target.and_then(|target| target.split_once('.')).map(|(_, operation)| operation);
            if operation != Some("GetSecretValue") {
                calls.fetch_add(1, Ordering::Relaxed);
            }
            let is_of_signing_key = || {
                let body = request.body().bytes().unwrap_or_default();
                body.windows(SIGNING_KEY.len()).any(|part| part == SIGNING_KEY.as_bytes())
            };
            let (status, body) = match operation {
                Some("GetItem") => (200, &responses.item),
                Some("Query") => (200, &responses.page),
                Some("BatchGetItem") => (200, &responses.follows),
                Some("GetSecretValue") if is_of_signing_key() => (200, &responses.signing_key),
                Some("GetSecretValue") => (200, &responses.sealing_secret),
                _ => (500, &responses.sealing_secret),
            };
            let response =
                http::Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
            response.body(body.clone()).expect("a response")
        });
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKID", "secret", None, None, "bench",
            )))
            .http_client(http)
            .build()
    }
}

/// The row of a photograph with six variants.
fn row(number: usize, visibility: &str) -> Value {
    let id = id(number);
    let open = if visibility == "public" { "open/" } else { "" };
    let variants = [(1080, "webp"), (1080, "jpg"), (540, "webp"), (540, "jpg"), (160, "webp"), (160, "jpg")];
    let variants = variants.map(|(width, suffix)| {
        let hash = "0123456789abcdef0123456789abcdef";
        let key = format!("{id}/0A000000000000000000000000000000/{open}{width}x{}-{hash}.{suffix}", width * 3 / 4);
        json!({"M": {
            "key": {"S": key}, "content_type": {"S": format!("image/{suffix}").replace("jpg", "jpeg")},
            "width": {"N": width.to_string()}, "height": {"N": (width * 3 / 4).to_string()}, "size": {"N": "123456"},
        }})
    });
    json!({
        "id": {"S": id}, "position": {"S": format!("{:0<32}.2", "0A")}, "kind": {"S": "photo"}, "owner": {"S": OWNER},
        "key": {"S": format!("photo/{OWNER}/{number}")}, "state": {"S": "ready"}, "size": {"N": "3456789"},
        "uploaded_at": {"S": "2026-11-22T00:00:00.123Z"}, "content_type": {"S": "image/jpeg"},
        "visibility": {"S": visibility}, "file_name": {"S": "경복궁의 아침.jpg"},
        "listed_at": {"S": format!("2026-11-22T00:00:00.123Z#{id}")},
        "derived": {"M": {
            "width": {"N": "4032"}, "height": {"N": "3024"}, "thumb_hash": {"S": "3OcRJYB4d3h/iIeHeEh3eIhw+j3A"},
            "dominant_colour": {"S": "#102030"}, "variants": {"L": variants},
        }},
    })
}

fn signing_key() -> String {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).expect("a key");
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(key))
}
