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

/// Four parts and a byte.
const LARGE: u64 = 4 * PART_BYTES + 1;

fn ports(s3: &[&Rule]) -> Ports {
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string("0123456789abcdef0123456789abcdef").build());
    let secrets = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&secret]);
    Ports {
        originals: Originals { s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, s3), bucket: "originals".into() },
        signer: signer(None),
        cipher: LazyTokenCipher::new(secrets, "arn".into()),
    }
}

async fn ask(ports: &Ports, caller: &str, route: &str, id: &str, key: Option<&str>, body: &Value) -> (i64, Value) {
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
    let answer = handle(ports, &request, now()).await;
    let Some(Body::Text(body)) = answer.body else { panic!("no text") };
    (answer.status_code, serde_json::from_str(&body).expect("JSON"))
}

async fn begin(ports: &Ports, key: Option<&str>, body: &Value) -> (i64, Value) {
    ask(ports, "mina", "POST /v1/uploads", "", key, body).await
}

fn photo() -> Value {
    json!({"kind": "photo", "contentType": "image/png", "size": 7, "checksum": SUM, "visibility": "private"})
}

fn song() -> Value {
    json!({"kind": "audio", "contentType": "audio/mp4", "size": LARGE, "checksum": SUM})
}

fn head(status: u16) -> Rule {
    mock!(aws_sdk_s3::Client::head_object).then_http_response(move || answer(status))
}

fn answer(status: u16) -> Response {
    Response::new(status.try_into().expect("a status"), SdkBody::empty())
}

fn begun() -> Rule {
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

const ALL_PARTS: [u64; 5] = [PART_BYTES, PART_BYTES, PART_BYTES, PART_BYTES, 1];

#[tokio::test]
async fn a_small_upload_is_one_signed_request() {
    let ports = ports(&[]);
    let (status, upload) = begin(&ports, None, &photo()).await;
    assert_eq!((status, &upload["way"], &upload["method"]), (201, &json!("put"), &json!("PUT")));
    let key = format!("photo/mina/{}", upload["id"].as_str().expect("an id"));
    assert_eq!(upload["mediaId"], json!(MediaId::of_key(&key)));
    assert!(upload["url"].as_str().is_some_and(|url| url.contains(&format!("/{key}?"))), "{upload}");
    assert_eq!(upload["headers"]["x-amz-meta-visibility"], "private");
    // Without an idempotency key every request is another upload.
    assert_ne!(begin(&ports, None, &photo()).await.1["id"], upload["id"]);
}

#[tokio::test]
async fn a_retry_signs_the_same_upload_until_it_is_there() {
    let nothing = head(404);
    let first = begin(&ports(&[&nothing]), Some("k"), &photo()).await.1;
    assert_eq!(begin(&ports(&[&nothing]), Some("k"), &photo()).await.1, first);

    let fingerprint = first["headers"]["x-amz-meta-declaration"].as_str().expect("a fingerprint").to_owned();
    let there = mock!(aws_sdk_s3::Client::head_object)
        .then_output(move || HeadObjectOutput::builder().metadata("declaration", &fingerprint).build());
    let (status, upload) = begin(&ports(&[&there]), Some("k"), &photo()).await;
    assert_eq!((status, &upload["way"], &upload["mediaId"]), (200, &json!("done"), &first["mediaId"]));

    let mut other = photo();
    other["size"] = 8.into();
    let (status, problem) = begin(&ports(&[&there]), Some("k"), &other).await;
    assert_eq!((status, &problem["type"]), (422, &json!("urn:iyagi:problem:idempotency-key-reused")));
}

#[tokio::test]
async fn whether_an_object_is_there_must_be_known() {
    let (status, problem) = begin(&ports(&[&head(403)]), Some("k"), &photo()).await;
    assert_eq!((status, &problem["type"]), (503, &json!("urn:iyagi:problem:unavailable")));
}

#[tokio::test]
async fn a_large_upload_goes_in_parts() {
    let (begin_rule, list, complete) = (
        begun(),
        parts(&ALL_PARTS),
        mock!(aws_sdk_s3::Client::complete_multipart_upload)
            .match_requests(|request| {
                let parts = request.multipart_upload().map(|upload| upload.parts()).unwrap_or_default();
                request.if_none_match() == Some("*")
                    && request.mpu_object_size() == Some(LARGE as i64)
                    && parts.len() == 5
                    && parts.iter().all(|part| part.checksum_sha256() == Some(SUM))
            })
            .then_output(|| CompleteMultipartUploadOutput::builder().build()),
    );
    let ports = ports(&[&begin_rule, &list, &complete]);
    let (status, upload) = begin(&ports, None, &song()).await;
    assert_eq!((status, &upload["way"], &upload["parts"]), (201, &json!("parts"), &json!(5)));
    let (id, handle) = (upload["id"].as_str().expect("an id"), &upload["handle"]);

    let wanted = json!({"handle": handle, "parts": [{"number": 5, "checksum": SUM}, {"number": 1, "checksum": SUM}]});
    let (status, signed) = ask(&ports, "mina", "POST /v1/uploads/{id}/parts", id, None, &wanted).await;
    assert_eq!(status, 200, "{signed}");
    assert_eq!(signed["parts"][0]["headers"], json!({"content-length": "1", "x-amz-checksum-sha256": SUM}));
    assert_eq!(signed["parts"][1]["headers"]["content-length"], PART_BYTES.to_string());
    assert!(signed["parts"][0]["url"].as_str().is_some_and(|url| url.contains(&format!("/audio/mina/{id}?"))));

    let (status, done) =
        ask(&ports, "mina", "POST /v1/uploads/{id}/complete", id, None, &json!({"handle": handle})).await;
    assert_eq!((status, &done["way"], &done["mediaId"]), (200, &json!("done"), &upload["mediaId"]));
    assert_eq!(complete.num_calls(), 1);
}

#[tokio::test]
async fn only_parts_that_there_are_once_and_for_their_uploader() {
    let ports = ports(&[&begun()]);
    let upload = begin(&ports, None, &song()).await.1;
    let (id, handle) = (upload["id"].as_str().expect("an id"), &upload["handle"]);
    let part = |number: u64| json!({"number": number, "checksum": SUM});
    for parts in [json!([part(0)]), json!([part(6)]), json!([part(u64::MAX)]), json!([part(1), part(1)])] {
        let body = json!({"handle": handle, "parts": parts});
        assert_eq!(ask(&ports, "mina", "POST /v1/uploads/{id}/parts", id, None, &body).await.0, 400, "{parts}");
    }
    let other = UploadId::random([9; 16]).to_string();
    for (caller, id, handle) in
        [("jun", id, handle.clone()), ("mina", &other, handle.clone()), ("mina", id, json!("x"))]
    {
        let body = json!({"handle": handle, "parts": [part(1)]});
        let (status, problem) = ask(&ports, caller, "POST /v1/uploads/{id}/parts", id, None, &body).await;
        assert_eq!((status, &problem["type"]), (400, &json!("urn:iyagi:problem:invalid-request")));
        let body = json!({"handle": handle});
        assert_eq!(ask(&ports, caller, "POST /v1/uploads/{id}/complete", id, None, &body).await.0, 400);
    }
}

#[tokio::test]
async fn an_upload_with_gaps_is_not_completed() {
    let (begin_rule, list) = (begun(), parts(&[PART_BYTES, 17, PART_BYTES]));
    let ports = ports(&[&begin_rule, &list]);
    let upload = begin(&ports, None, &song()).await.1;
    let id = upload["id"].as_str().expect("an id");
    let body = json!({"handle": upload["handle"]});
    let (status, problem) = ask(&ports, "mina", "POST /v1/uploads/{id}/complete", id, None, &body).await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:iyagi:problem:upload-incomplete")));
    assert_eq!(problem["detail"], "missing: 2, 4, 5");
}

#[tokio::test]
async fn completing_again_is_as_good_and_too_late_is_told() {
    let begin_rule = begun();
    let gone = mock!(aws_sdk_s3::Client::list_parts).then_http_response(|| answer(404));
    let taken = mock!(aws_sdk_s3::Client::complete_multipart_upload).then_http_response(|| answer(412));
    let list = parts(&ALL_PARTS);
    let upload = begin(&ports(&[&begin_rule]), None, &song()).await.1;
    let id = upload["id"].as_str().expect("an id");
    let fingerprint = {
        let payload = ports(&[]);
        let cipher = payload.cipher.get().await.expect("a cipher");
        let text = upload["handle"].as_str().expect("a handle");
        Handle::decrypt(cipher, "mina", id.parse().expect("an id"), text).expect("a handle").fingerprint
    };
    let there = |fingerprint: String| {
        mock!(aws_sdk_s3::Client::head_object)
            .then_output(move || HeadObjectOutput::builder().metadata("declaration", &fingerprint).build())
    };
    let (ours, other, nothing) = (there(fingerprint), there("other".to_owned()), head(404));
    let body = json!({"handle": upload["handle"]});
    for (rules, expected) in [
        (vec![&gone, &ours], 200),
        (vec![&list, &taken, &ours], 200),
        (vec![&list, &taken, &other], 422),
        (vec![&gone, &nothing], 410),
    ] {
        let (status, answer) = ask(&ports(&rules), "mina", "POST /v1/uploads/{id}/complete", id, None, &body).await;
        assert_eq!(status, expected, "{answer}");
    }
}

#[tokio::test]
async fn nobody_uploads_unless_signed_in() {
    let request = json!({
        "version": "2.0", "routeKey": "POST /v1/uploads", "rawPath": "/", "rawQueryString": "", "headers": {},
        "isBase64Encoded": false, "body": photo().to_string(), "requestContext": {"http": {"method": "POST"}}
    });
    let request = serde_json::from_value(request).expect("a request");
    assert_eq!(handle(&ports(&[]), &request, now()).await.status_code, 401);
    // A name that would lead into somebody else's keys is nobody's.
    assert_eq!(ask(&ports(&[]), "mina/../jun", "POST /v1/uploads", "", None, &photo()).await.0, 401);
}
