//! Uploads through the deployed stack: signed requests, their checks by S3, and the items.
//!
//! Functions: upload-api, metadata-writer, thumbnailer, media-api.

mod resume;

use domain::{
    media::Kind,
    upload::{MAX_SINGLE_REQUEST_BYTES, PART_BYTES},
};
use http::Method;
use serde_json::{Value, json};
use stack::{
    uploads::{UploadFile, checksum, put_presigned},
    users::User,
};
use test_support::photographs::photograph;

use crate::deployed::Deployed;

fn photo<'a>(name: &'a str) -> UploadFile<'a> {
    UploadFile {
        kind: Kind::Photo,
        name,
        content_type: "image/jpeg",
        bytes: photograph("고양이.jpg"),
        visibility: "public",
        post: None,
    }
}

fn sound(bytes: Vec<u8>) -> UploadFile<'static> {
    UploadFile {
        kind: Kind::Audio,
        name: "story.m4a",
        content_type: "audio/mp4",
        bytes,
        visibility: "public",
        post: None,
    }
}

/// The signed upload of `file`.
async fn start_upload(deployed: &Deployed, user: &User, file: &UploadFile<'_>) -> Value {
    let response = deployed.post(user, "/v1/uploads", &file.request_body()).await;
    assert_eq!(response.status, 201, "{response:?}");
    response.body
}

/// The status of S3 to a signed request.
async fn put_status(request: &Value, content: &[u8]) -> u16 {
    put_presigned(request, content.to_vec()).await.expect("response").as_u16()
}

/// The keys of a user's originals.
async fn originals(deployed: &Deployed, user: &User, kind: Kind) -> Vec<String> {
    deployed.original_keys(&format!("{kind}/{}/", user.id)).await
}

#[tokio::test]
async fn uploaded_photograph_has_declared_metadata() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    // NFD, as macOS writes names.
    let file = UploadFile { visibility: "private", post: Some("story-1"), ..photo("\u{1112}\u{1161}\u{11ab}.jpg") };
    let (sent, item) = deployed.upload_and_process(&mina, &file).await;
    let expected = json!({
        "kind": "photo", "owner": mina.id, "contentType": "image/jpeg", "bytes": file.bytes.len(),
        "visibility": "private", "post": "story-1", "fileName": "\u{d55c}.jpg", "state": "ready"
    });
    for (name, value) in expected.as_object().expect("fields") {
        assert_eq!(item[name], *value, "{name}: {item}");
    }
    assert_eq!(item["variants"].as_array().map(Vec::len), Some(4), "{item}");
    assert_eq!(originals(&deployed, &mina, Kind::Photo).await, [sent.key]);
}

#[tokio::test]
async fn avatar_is_ready_until_deleted() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let (sent, item) = deployed.upload_and_process(&mina, &UploadFile { kind: Kind::Avatar, ..photo("me.jpg") }).await;
    assert_eq!((&item["kind"], &item["state"]), (&json!("avatar"), &json!("ready")), "{item}");
    assert_eq!(deployed.delete(&mina, &format!("/v1/media/{}", sent.id)).await.status, 204);
    assert!(originals(&deployed, &mina, Kind::Avatar).await.is_empty());
}

#[tokio::test]
async fn request_that_differs_from_signature_is_refused_by_s3() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await);
    let file = UploadFile { visibility: "private", ..photo("a.jpg") };
    let upload = start_upload(&deployed, &mina, &file).await;
    let with_header = |name: &str, value: Option<&str>| {
        let mut changed = upload.clone();
        let headers = changed["headers"].as_object_mut().expect("headers");
        match value {
            Some(value) => drop(headers.insert(name.to_owned(), value.into())),
            None => drop(headers.remove(name).expect("signed header")),
        }
        changed
    };
    let with_url = |from: &str, to: &str| {
        let mut changed = upload.clone();
        let url = upload["url"].as_str().expect("URL");
        assert!(url.contains(from), "{url}");
        changed["url"] = url.replace(from, to).into();
        changed
    };
    let other = checksum(b"other");
    // S3 refuses additional `x-amz-` headers, too (`HeadersNotSigned`); the emulator accepts them.
    let mut cases = vec![
        ("type", with_header("content-type", Some("text/html"))),
        ("checksum", with_header("x-amz-checksum-sha256", Some(&other))),
        ("visibility", with_header("x-amz-meta-visibility", Some("public"))),
        ("owner", with_url(&mina.id, &jun.id)),
        ("kind", with_url("/photo/", "/avatar/")),
        ("expiry", with_url("X-Amz-Expires=900", "X-Amz-Expires=90000")),
    ];
    for name in ["content-type", "x-amz-checksum-sha256", "if-none-match", "x-amz-meta-visibility"] {
        cases.push((name, with_header(name, None)));
    }
    for (what, request) in cases {
        assert_eq!(put_status(&request, &file.bytes).await, 403, "{what}");
    }
    let mut longer = file.bytes.clone();
    longer.push(0);
    assert_eq!(put_status(&upload, &longer).await, 403, "length");
    let mut changed = file.bytes.clone();
    changed[1_000] ^= 1;
    assert_eq!(put_status(&upload, &changed).await, 400, "content");
    for user in [&mina, &jun] {
        assert!(originals(&deployed, user, Kind::Photo).await.is_empty());
        assert!(originals(&deployed, user, Kind::Avatar).await.is_empty());
    }
    // The signed request is still valid, once.
    assert_eq!(put_status(&upload, &file.bytes).await, 200);
    assert_eq!(put_status(&upload, &file.bytes).await, 412, "a second time");
}

#[tokio::test]
async fn repeated_idempotency_key_returns_same_upload() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await);
    let file = photo("a.jpg");
    let start = async |user: &User, file: &UploadFile<'_>| {
        let key = [("idempotency-key", "tap-1")];
        let body = file.request_body();
        deployed.request_with_headers(user, Method::POST, "/v1/uploads", &key, Some(&body)).await
    };
    let first = start(&mina, &file).await;
    let again = start(&mina, &file).await;
    assert_eq!((first.status, again.status), (201, 201), "{first:?} {again:?}");
    assert_eq!((&first.body["id"], &first.body["mediaId"]), (&again.body["id"], &again.body["mediaId"]));
    assert_ne!(start(&jun, &file).await.body["id"], first.body["id"]);

    assert_eq!(put_status(&again.body, &file.bytes).await, 200);
    assert_eq!(put_status(&first.body, &file.bytes).await, 412);
    let done = start(&mina, &file).await;
    assert_eq!((done.status, &done.body["way"], &done.body["mediaId"]), (200, &json!("done"), &first.body["mediaId"]));
    let other = UploadFile { visibility: "private", ..file };
    assert_eq!(start(&mina, &other).await.problem(), (422, "urn:iyagi:problem:idempotency-key-reused"));
    assert_eq!(originals(&deployed, &mina, Kind::Photo).await.len(), 1);
}

#[tokio::test]
async fn large_file_is_uploaded_in_checked_parts() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await);
    let size = usize::try_from(MAX_SINGLE_REQUEST_BYTES + 1).expect("size");
    let part_size = usize::try_from(PART_BYTES).expect("size");
    // All parts differ.
    let bytes: Vec<u8> = (0..size).map(|index| (index / 1_000) as u8 ^ (index / part_size) as u8).collect();
    let file = UploadFile { visibility: "private", ..sound(bytes.clone()) };
    let upload = start_upload(&deployed, &mina, &file).await;
    assert_eq!(
        (&upload["way"], &upload["parts"], &upload["partSize"]),
        (&json!("parts"), &json!(7), &json!(PART_BYTES))
    );
    let path = |step: &str| format!("/v1/uploads/{}/{step}", upload["id"].as_str().expect("id"));
    let complete = json!({"handle": upload["handle"]});

    let chunks: Vec<_> = bytes.chunks(part_size).collect();
    let sign_parts = json!({"handle": upload["handle"], "parts": chunks.iter().zip(1..).map(|(chunk, number)| {
        json!({"number": number, "checksum": checksum(chunk)})
    }).collect::<Vec<_>>()});
    // The handle is valid for its user only.
    for (step, body) in [("parts", &sign_parts), ("complete", &complete)] {
        let refusal = deployed.post(&jun, &path(step), body).await;
        assert_eq!(refusal.problem(), (400, "urn:iyagi:problem:invalid-request"));
    }
    let signed = deployed.post(&mina, &path("parts"), &sign_parts).await;
    assert_eq!(signed.status, 200, "{signed:?}");
    let parts = signed.body["parts"].as_array().expect("parts");

    // S3 checks the length and the content of each part.
    assert_eq!(put_status(&parts[6], &[0, 0]).await, 403);
    assert_eq!(put_status(&parts[6], &[!bytes[size - 1]]).await, 400);
    for (part, chunk) in parts.iter().zip(&chunks).take(6) {
        assert_eq!(put_status(part, chunk).await, 200);
    }
    let gap = deployed.post(&mina, &path("complete"), &complete).await;
    assert_eq!((gap.status, &gap.body["detail"]), (409, &json!("missing: 7")), "{gap:?}");
    assert!(originals(&deployed, &mina, Kind::Audio).await.is_empty());

    assert_eq!(put_status(&parts[6], chunks[6]).await, 200);
    for _ in 0..2 {
        let done = deployed.post(&mina, &path("complete"), &complete).await;
        assert_eq!((done.status, &done.body["mediaId"]), (200, &upload["mediaId"]), "{done:?}");
    }
    let id = upload["mediaId"].as_str().and_then(|id| id.parse().ok()).expect("id");
    let item = deployed.wait_until_processed_for(&mina, id).await;
    assert_eq!(
        (&item["reason"], &item["bytes"], &item["visibility"]),
        (&json!("unsupported_format"), &json!(size), &json!("private"))
    );
    assert_eq!(originals(&deployed, &mina, Kind::Audio).await.len(), 1);
}

#[tokio::test]
async fn invalid_declaration_returns_its_problem() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let valid = photo("a.jpg").request_body();
    for (field, value) in [
        ("kind", json!("video")),
        ("contentType", json!("image/svg+xml")),
        ("contentType", json!("audio/mp4")),
        ("size", json!(0)),
        ("size", json!(96 * 1024 * 1024 + 1)),
        ("size", json!("1")),
        ("checksum", json!("d41d8cd98f00b204e9800998ecf8427e")),
        ("fileName", json!("../../etc/passwd")),
        ("fileName", json!("가".repeat(200))),
        ("post", json!("a#b")),
        ("visibility", json!("friends")),
        ("owner", json!("another-user")),
    ] {
        let mut body = valid.clone();
        body[field] = value;
        let response = deployed.post(&mina, "/v1/uploads", &body).await;
        assert_eq!(response.problem(), (400, "urn:iyagi:problem:invalid-request"), "{body}");
    }
    let huge = json!({"kind": "x".repeat(100_000)});
    let response = deployed.post(&mina, "/v1/uploads", &huge).await;
    assert_eq!(response.problem(), (413, "urn:iyagi:problem:too-large"));
    let response = deployed.request(&mina, Method::POST, "/v1/uploads", None).await;
    assert_eq!(response.status, 400);
    for id in ["x", "7ZZZZZZZZZZZZZZZZZZZZZZZZ", "7zzzzzzzzzzzzzzzzzzzzzzzzz"] {
        let response = deployed.post(&mina, &format!("/v1/uploads/{id}/complete"), &json!({"handle": "x"})).await;
        assert_eq!(response.problem(), (404, "urn:iyagi:problem:not-found"), "{id}");
    }
}
