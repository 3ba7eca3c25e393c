mod resume;

use aws_lambda_events::encodings::Body;
use aws_sdk_s3::{
    operation::{
        complete_multipart_upload::CompleteMultipartUploadOutput, create_multipart_upload::CreateMultipartUploadOutput,
        head_object::HeadObjectOutput, list_parts::ListPartsOutput,
    },
    primitives::SdkBody,
    types::Part as S3Part,
};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::http::Response;
use domain::upload::PART_BYTES;
use serde_json::{Value, json};

use super::*;
use crate::signer::tests::{SUM, now, signer};

/// Six parts and a byte.
const LARGE: u64 = 6 * PART_BYTES + 1;

fn ports(s3: &[&Rule]) -> Ports {
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string("0123456789abcdef0123456789abcdef").build());
    let secrets = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&secret]);
    Ports {
        originals: Originals { s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3), bucket: "originals".into() },
        signer: signer(None),
        budgets: crate::budget::tests::ample(),
        cipher: LazyTokenCipher::new(secrets, "arn".into()),
        offers_audio: true,
    }
}

async fn send(ports: &Ports, caller: &str, route: &str, id: &str, key: Option<&str>, body: &Value) -> (i64, Value) {
    let mut headers = json!({});
    if let Some(key) = key {
        headers["idempotency-key"] = key.into();
    }
    let request = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": headers,
        "pathParameters": {"id": id}, "isBase64Encoded": false, "body": body.to_string(),
        "requestContext": {
            "http": {"method": "POST"},
            "authorizer": {"jwt": {"claims": {"sub": caller, "token_use": "access"}, "scopes": []}}
        }
    });
    let request = serde_json::from_value(request).expect("a request");
    let response = handle(ports, &request, now()).await;
    let Some(Body::Text(body)) = response.body else { panic!("no text") };
    (response.status_code, serde_json::from_str(&body).expect("JSON"))
}

async fn start_upload(ports: &Ports, key: Option<&str>, body: &Value) -> (i64, Value) {
    send(ports, "mina", "POST /v1/uploads", "", key, body).await
}

fn photo() -> Value {
    json!({"kind": "photo", "contentType": "image/png", "size": 7, "checksum": SUM, "visibility": "private"})
}

fn audio() -> Value {
    json!({"kind": "audio", "contentType": "audio/mp4", "size": LARGE, "checksum": SUM, "visibility": "public"})
}

fn head(status: u16) -> Rule {
    mock!(aws_sdk_s3::Client::head_object).then_http_response(move || response(status))
}

fn response(status: u16) -> Response {
    Response::new(status.try_into().expect("a status"), SdkBody::empty())
}

fn upload_started() -> Rule {
    mock!(aws_sdk_s3::Client::create_multipart_upload)
        .match_requests(|request| {
            request.content_type() == Some("audio/mp4")
                && request.metadata().is_some_and(|metadata| metadata.contains_key("visibility"))
        })
        .then_output(|| CreateMultipartUploadOutput::builder().upload_id("s3-upload").build())
}

fn parts(sizes: &'static [u64]) -> Rule {
    mock!(aws_sdk_s3::Client::list_parts)
        .match_requests(|request| request.upload_id() == Some("s3-upload"))
        .then_output(move || {
            let parts = sizes.iter().zip(1..).map(|(size, number)| {
                S3Part::builder().part_number(number).size(*size as i64).e_tag("e").checksum_sha256(SUM).build()
            });
            ListPartsOutput::builder().set_parts(Some(parts.collect())).build()
        })
}

const ALL_PARTS: [u64; 7] = [PART_BYTES, PART_BYTES, PART_BYTES, PART_BYTES, PART_BYTES, PART_BYTES, 1];

#[tokio::test]
async fn recording_without_ffmpeg_returns_400_and_stores_nothing() {
    let started = upload_started();
    let ports = Ports { offers_audio: false, ..ports(&[&started]) };
    let (status, problem) = start_upload(&ports, None, &audio()).await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-request")));
    assert_eq!(problem["detail"], "`kind` `audio` is not offered by this server");
    assert_eq!(started.num_calls(), 0);
    assert_eq!(start_upload(&ports, None, &photo()).await.0, 201);
}

#[tokio::test]
async fn upload_beyond_the_budget_returns_429_with_the_time_to_wait() {
    let started = upload_started();
    let ports = Ports { budgets: crate::budget::tests::used_up(), ..ports(&[&started]) };
    let (status, problem) = start_upload(&ports, None, &audio()).await;
    assert_eq!((status, &problem["type"]), (429, &json!("urn:iyagi:problem:upload-budget-exceeded")));
    assert_eq!(started.num_calls(), 0);
    let request = json!({
        "version": "2.0", "routeKey": "POST /v1/uploads", "rawPath": "/", "rawQueryString": "", "headers": {},
        "isBase64Encoded": false, "body": photo().to_string(),
        "requestContext": {
            "http": {"method": "POST"},
            "authorizer": {"jwt": {"claims": {"sub": "mina", "token_use": "access"}, "scopes": []}}
        }
    });
    let response = handle(&ports, &serde_json::from_value(request).expect("a request"), now()).await;
    assert!(response.headers.get("retry-after").is_some_and(|seconds| seconds.to_str().is_ok_and(|text| text != "0")));
}

#[tokio::test]
async fn small_upload_is_one_signed_request() {
    let ports = ports(&[]);
    let (status, upload) = start_upload(&ports, None, &photo()).await;
    assert_eq!((status, &upload["way"], &upload["method"]), (201, &json!("put"), &json!("PUT")));
    let key = format!("photo/mina/{}", upload["id"].as_str().expect("an id"));
    assert_eq!(upload["mediaId"], json!(MediaId::of_key(&key)));
    assert!(upload["url"].as_str().is_some_and(|url| url.contains(&format!("/{key}?"))), "{upload}");
    assert_eq!(upload["headers"]["x-amz-meta-visibility"], "private");
    // Without an idempotency key, every request starts another upload.
    assert_ne!(start_upload(&ports, None, &photo()).await.1["id"], upload["id"]);
}

#[tokio::test]
async fn retry_returns_the_same_upload_until_it_is_complete() {
    let missing = head(404);
    let first = start_upload(&ports(&[&missing]), Some("k"), &photo()).await.1;
    assert_eq!(start_upload(&ports(&[&missing]), Some("k"), &photo()).await.1, first);

    let fingerprint = first["headers"]["x-amz-meta-declaration"].as_str().expect("a fingerprint").to_owned();
    let there = mock!(aws_sdk_s3::Client::head_object)
        .then_output(move || HeadObjectOutput::builder().metadata("declaration", &fingerprint).build());
    let (status, upload) = start_upload(&ports(&[&there]), Some("k"), &photo()).await;
    assert_eq!((status, &upload["way"], &upload["mediaId"]), (200, &json!("done"), &first["mediaId"]));

    let mut other = photo();
    other["size"] = 8.into();
    let (status, problem) = start_upload(&ports(&[&there]), Some("k"), &other).await;
    assert_eq!((status, &problem["type"]), (422, &json!("urn:iyagi:problem:idempotency-key-reused")));
}

#[tokio::test]
async fn unknown_existence_of_the_object_returns_503() {
    let (status, problem) = start_upload(&ports(&[&head(403)]), Some("k"), &photo()).await;
    assert_eq!((status, &problem["type"]), (503, &json!("urn:iyagi:problem:unavailable")));
}

#[tokio::test]
async fn large_upload_is_sent_in_parts() {
    let (start_rule, list, complete) = (
        upload_started(),
        parts(&ALL_PARTS),
        mock!(aws_sdk_s3::Client::complete_multipart_upload)
            .match_requests(|request| {
                let parts = request.multipart_upload().map(|upload| upload.parts()).unwrap_or_default();
                request.if_none_match() == Some("*")
                    && request.mpu_object_size() == Some(LARGE as i64)
                    && parts.len() == 7
                    && parts.iter().all(|part| part.checksum_sha256() == Some(SUM))
            })
            .then_output(|| CompleteMultipartUploadOutput::builder().build()),
    );
    let ports = ports(&[&start_rule, &list, &complete]);
    let (status, upload) = start_upload(&ports, None, &audio()).await;
    assert_eq!((status, &upload["way"], &upload["parts"]), (201, &json!("parts"), &json!(7)));
    let (id, handle) = (upload["id"].as_str().expect("an id"), &upload["handle"]);

    let requested =
        json!({"handle": handle, "parts": [{"number": 7, "checksum": SUM}, {"number": 1, "checksum": SUM}]});
    let (status, signed) = send(&ports, "mina", "POST /v1/uploads/{id}/parts", id, None, &requested).await;
    assert_eq!(status, 200, "{signed}");
    assert_eq!(signed["parts"][0]["headers"], json!({"content-length": "1", "x-amz-checksum-sha256": SUM}));
    assert_eq!(signed["parts"][1]["headers"]["content-length"], PART_BYTES.to_string());
    assert!(signed["parts"][0]["url"].as_str().is_some_and(|url| url.contains(&format!("/audio/mina/{id}?"))));

    let (status, done) =
        send(&ports, "mina", "POST /v1/uploads/{id}/complete", id, None, &json!({"handle": handle})).await;
    assert_eq!((status, &done["way"], &done["mediaId"]), (200, &json!("done"), &upload["mediaId"]));
    assert_eq!(complete.num_calls(), 1);
}

#[tokio::test]
async fn invalid_part_or_handle_returns_400() {
    let ports = ports(&[&upload_started()]);
    let upload = start_upload(&ports, None, &audio()).await.1;
    let (id, handle) = (upload["id"].as_str().expect("an id"), &upload["handle"]);
    let part = |number: u64| json!({"number": number, "checksum": SUM});
    for parts in [json!([part(0)]), json!([part(8)]), json!([part(u64::MAX)]), json!([part(1), part(1)])] {
        let body = json!({"handle": handle, "parts": parts});
        assert_eq!(send(&ports, "mina", "POST /v1/uploads/{id}/parts", id, None, &body).await.0, 400, "{parts}");
    }
    let other = UploadId::random([9; 16]).to_string();
    for (caller, id, handle) in
        [("jun", id, handle.clone()), ("mina", &other, handle.clone()), ("mina", id, json!("x"))]
    {
        let body = json!({"handle": handle, "parts": [part(1)]});
        let (status, problem) = send(&ports, caller, "POST /v1/uploads/{id}/parts", id, None, &body).await;
        assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-request")));
        let body = json!({"handle": handle});
        assert_eq!(send(&ports, caller, "POST /v1/uploads/{id}/complete", id, None, &body).await.0, 400);
    }
}

#[tokio::test]
async fn upload_with_missing_parts_returns_409() {
    let (start_rule, list) = (upload_started(), parts(&[PART_BYTES, 17, PART_BYTES]));
    let ports = ports(&[&start_rule, &list]);
    let upload = start_upload(&ports, None, &audio()).await.1;
    let id = upload["id"].as_str().expect("an id");
    let body = json!({"handle": upload["handle"]});
    let (status, problem) = send(&ports, "mina", "POST /v1/uploads/{id}/complete", id, None, &body).await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:iyagi:problem:upload-incomplete")));
    assert_eq!(problem["detail"], "missing: 2, 4, 5, 6, 7");
}

#[tokio::test]
async fn repeated_completion_succeeds_unless_the_object_is_another_or_missing() {
    let start_rule = upload_started();
    let aborted = mock!(aws_sdk_s3::Client::list_parts).then_http_response(|| response(404));
    let taken = mock!(aws_sdk_s3::Client::complete_multipart_upload).then_http_response(|| response(412));
    let list = parts(&ALL_PARTS);
    let upload = start_upload(&ports(&[&start_rule]), None, &audio()).await.1;
    let id = upload["id"].as_str().expect("an id");
    let fingerprint = {
        let ports = ports(&[]);
        let cipher = ports.cipher.get().await.expect("a cipher");
        let text = upload["handle"].as_str().expect("a handle");
        UploadHandle::decrypt(&cipher, "mina", id.parse().expect("an id"), text).expect("a handle").fingerprint
    };
    let there = |fingerprint: String| {
        mock!(aws_sdk_s3::Client::head_object)
            .then_output(move || HeadObjectOutput::builder().metadata("declaration", &fingerprint).build())
    };
    let (same, other, missing) = (there(fingerprint), there("other".to_owned()), head(404));
    let body = json!({"handle": upload["handle"]});
    for (rules, expected) in [
        (vec![&aborted, &same], 200),
        (vec![&list, &taken, &same], 200),
        (vec![&list, &taken, &other], 422),
        (vec![&aborted, &missing], 410),
    ] {
        let (status, body) = send(&ports(&rules), "mina", "POST /v1/uploads/{id}/complete", id, None, &body).await;
        assert_eq!(status, expected, "{body}");
    }
}

#[tokio::test]
async fn missing_sign_in_returns_401() {
    let request = json!({
        "version": "2.0", "routeKey": "POST /v1/uploads", "rawPath": "/", "rawQueryString": "", "headers": {},
        "isBase64Encoded": false, "body": photo().to_string(), "requestContext": {"http": {"method": "POST"}}
    });
    let request = serde_json::from_value(request).expect("a request");
    assert_eq!(handle(&ports(&[]), &request, now()).await.status_code, 401);
    // The id would lead into another user's keys.
    assert_eq!(send(&ports(&[]), "mina/../jun", "POST /v1/uploads", "", None, &photo()).await.0, 401);
}
