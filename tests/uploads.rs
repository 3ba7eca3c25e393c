//! Uploads through the deployed stack: what is signed, what S3 holds it to, what becomes of it.

mod support;

use domain::{
    media::Kind,
    upload::{MAX_SINGLE_REQUEST_BYTES, PART_BYTES},
};
use http::Method;
use local::{
    uploads::{File, checksum, put},
    users::User,
};
use serde_json::{Value, json};
use support::{Deployed, photograph};

fn photo<'a>(name: &'a str) -> File<'a> {
    File {
        kind: Kind::Photo,
        name,
        content_type: "image/jpeg",
        bytes: photograph("고양이.jpg"),
        visibility: "public",
        post: None,
    }
}

fn sound(bytes: Vec<u8>) -> File<'static> {
    File { kind: Kind::Audio, name: "story.m4a", content_type: "audio/mp4", bytes, visibility: "public", post: None }
}

/// What the API signs for `file`.
async fn signed(deployed: &Deployed, user: &User, file: &File<'_>) -> Value {
    let answer = deployed.ask(user, Method::POST, "/v1/uploads", Some(&file.declaration())).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body
}

/// The originals of a user.
async fn originals(deployed: &Deployed, user: &User, kind: Kind) -> Vec<String> {
    let prefix = format!("{kind}/{}/", user.id);
    deployed.aws.list_objects(deployed.output("OriginalsBucketName"), &prefix).await.expect("a list")
}

#[tokio::test]
async fn a_photograph_becomes_what_it_was_declared_to_be() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    // Taken apart, as macOS has it.
    let file = File { visibility: "private", post: Some("story-1"), ..photo("\u{1112}\u{1161}\u{11ab}.jpg") };
    let sent = deployed.send(&mina, &file).await;
    let item = deployed.outcome_for(&mina, sent.id).await;
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
async fn an_avatar_comes_and_goes() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let sent = deployed.send(&mina, &File { kind: Kind::Avatar, ..photo("me.jpg") }).await;
    let item = deployed.outcome_for(&mina, sent.id).await;
    assert_eq!((&item["kind"], &item["state"]), (&json!("avatar"), &json!("ready")), "{item}");
    let path = format!("/v1/media/{}", sent.id);
    assert_eq!(deployed.ask(&mina, Method::DELETE, &path, None).await.status, 204);
    assert!(originals(&deployed, &mina, Kind::Avatar).await.is_empty());
}

#[tokio::test]
async fn s3_refuses_whatever_differs_from_what_was_signed() {
    let deployed = Deployed::get();
    let (mina, jun) = (deployed.person("Mina").await, deployed.person("Jun").await);
    let file = File { visibility: "private", ..photo("a.jpg") };
    let upload = signed(&deployed, &mina, &file).await;
    let with = |name: &str, value: Option<&str>| {
        let mut changed = upload.clone();
        let headers = changed["headers"].as_object_mut().expect("headers");
        match value {
            Some(value) => drop(headers.insert(name.to_owned(), value.into())),
            None => drop(headers.remove(name).expect("a signed header")),
        }
        changed
    };
    let elsewhere = |from: &str, to: &str| {
        let mut changed = upload.clone();
        let url = upload["url"].as_str().expect("a URL");
        assert!(url.contains(from), "{url}");
        changed["url"] = url.replace(from, to).into();
        changed
    };
    let other = checksum(b"other");
    // A header more, as another `x-amz-meta-…`, is refused by S3 only (`HeadersNotSigned`): the
    // emulator takes it.
    let mut cases = vec![
        ("type", with("content-type", Some("text/html"))),
        ("checksum", with("x-amz-checksum-sha256", Some(&other))),
        ("visibility", with("x-amz-meta-visibility", Some("public"))),
        ("owner", elsewhere(&mina.id, &jun.id)),
        ("kind", elsewhere("/photo/", "/avatar/")),
        ("expiry", elsewhere("X-Amz-Expires=900", "X-Amz-Expires=90000")),
    ];
    for name in ["content-type", "x-amz-checksum-sha256", "if-none-match", "x-amz-meta-visibility"] {
        cases.push((name, with(name, None)));
    }
    for (what, request) in cases {
        let status = put(&request, file.bytes.clone()).await.expect("an answer");
        assert_eq!(status, 403, "{what}");
    }
    let mut longer = file.bytes.clone();
    longer.push(0);
    assert_eq!(put(&upload, longer).await.expect("an answer"), 403, "length");
    let mut changed = file.bytes.clone();
    changed[1_000] ^= 1;
    assert_eq!(put(&upload, changed).await.expect("an answer"), 400, "content");
    for user in [&mina, &jun] {
        assert!(originals(&deployed, user, Kind::Photo).await.is_empty());
        assert!(originals(&deployed, user, Kind::Avatar).await.is_empty());
    }
    // All that has not used it up; then it is.
    assert_eq!(put(&upload, file.bytes.clone()).await.expect("an answer"), 200);
    assert_eq!(put(&upload, file.bytes.clone()).await.expect("an answer"), 412, "a second time");
}

#[tokio::test]
async fn a_retry_is_the_same_upload() {
    let deployed = Deployed::get();
    let (mina, jun) = (deployed.person("Mina").await, deployed.person("Jun").await);
    let file = photo("a.jpg");
    let start = async |user: &User, file: &File<'_>| {
        let key = [("idempotency-key", "tap-1")];
        deployed.ask_with(user, Method::POST, "/v1/uploads", &key, Some(&file.declaration())).await
    };
    let first = start(&mina, &file).await;
    let again = start(&mina, &file).await;
    assert_eq!((first.status, again.status), (201, 201), "{first:?} {again:?}");
    assert_eq!((&first.body["id"], &first.body["mediaId"]), (&again.body["id"], &again.body["mediaId"]));
    assert_ne!(start(&jun, &file).await.body["id"], first.body["id"]);

    assert_eq!(put(&again.body, file.bytes.clone()).await.expect("an answer"), 200);
    assert_eq!(put(&first.body, file.bytes.clone()).await.expect("an answer"), 412);
    let there = start(&mina, &file).await;
    assert_eq!(
        (there.status, &there.body["way"], &there.body["mediaId"]),
        (200, &json!("done"), &first.body["mediaId"])
    );
    let other = File { visibility: "private", ..file };
    let refused = start(&mina, &other).await;
    assert_eq!(
        (refused.status, &refused.body["type"], refused.content_type.as_str()),
        (422, &json!("urn:iyagi:problem:idempotency-key-reused"), "application/problem+json")
    );
    assert_eq!(originals(&deployed, &mina, Kind::Photo).await.len(), 1);
}

#[tokio::test]
async fn a_large_file_goes_in_parts() {
    let deployed = Deployed::get();
    let (mina, jun) = (deployed.person("Mina").await, deployed.person("Jun").await);
    let size = usize::try_from(MAX_SINGLE_REQUEST_BYTES + 1).expect("a size");
    let part_size = usize::try_from(PART_BYTES).expect("a size");
    // No two parts are alike.
    let bytes: Vec<u8> = (0..size).map(|index| (index / 1_000) as u8 ^ (index / part_size) as u8).collect();
    let file = File { visibility: "private", ..sound(bytes.clone()) };
    let upload = signed(&deployed, &mina, &file).await;
    assert_eq!(
        (&upload["way"], &upload["parts"], &upload["partSize"]),
        (&json!("parts"), &json!(5), &json!(PART_BYTES))
    );
    let path = |step: &str| format!("/v1/uploads/{}/{step}", upload["id"].as_str().expect("an id"));
    let handle = json!({"handle": upload["handle"]});

    let chunks: Vec<_> = bytes.chunks(part_size).collect();
    let wanted = json!({"handle": upload["handle"], "parts": chunks.iter().zip(1..).map(|(chunk, number)| {
        json!({"number": number, "checksum": checksum(chunk)})
    }).collect::<Vec<_>>()});
    // The handle is nobody else's.
    for (step, body) in [("parts", &wanted), ("complete", &handle)] {
        let refused = deployed.ask(&jun, Method::POST, &path(step), Some(body)).await;
        assert_eq!((refused.status, &refused.body["type"]), (400, &json!("urn:iyagi:problem:invalid-request")));
    }
    let answer = deployed.ask(&mina, Method::POST, &path("parts"), Some(&wanted)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let parts = answer.body["parts"].as_array().expect("parts");

    // Each part is held to its length and its content.
    assert_eq!(put(&parts[4], vec![0, 0]).await.expect("an answer"), 403);
    assert_eq!(put(&parts[4], vec![!bytes[size - 1]]).await.expect("an answer"), 400);
    for (part, chunk) in parts.iter().zip(&chunks).take(4) {
        assert_eq!(put(part, chunk.to_vec()).await.expect("an answer"), 200);
    }
    let gap = deployed.ask(&mina, Method::POST, &path("complete"), Some(&handle)).await;
    assert_eq!((gap.status, &gap.body["detail"]), (409, &json!("missing: 5")), "{gap:?}");
    assert!(originals(&deployed, &mina, Kind::Audio).await.is_empty());

    assert_eq!(put(&parts[4], chunks[4].to_vec()).await.expect("an answer"), 200);
    for _ in 0..2 {
        let done = deployed.ask(&mina, Method::POST, &path("complete"), Some(&handle)).await;
        assert_eq!((done.status, &done.body["mediaId"]), (200, &upload["mediaId"]), "{done:?}");
    }
    let id = upload["mediaId"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let item = deployed.outcome_for(&mina, id).await;
    assert_eq!(
        (&item["reason"], &item["bytes"], &item["visibility"]),
        (&json!("unsupported_format"), &json!(size), &json!("private"))
    );
    assert_eq!(originals(&deployed, &mina, Kind::Audio).await.len(), 1);
}

#[tokio::test]
async fn what_is_not_taken_is_refused_with_its_reason() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let good = photo("a.jpg").declaration();
    for (field, value) in [
        ("kind", json!("video")),
        ("contentType", json!("image/svg+xml")),
        ("contentType", json!("audio/mp4")),
        ("size", json!(0)),
        ("size", json!(25 * 1024 * 1024 + 1)),
        ("size", json!("1")),
        ("checksum", json!("d41d8cd98f00b204e9800998ecf8427e")),
        ("fileName", json!("../../etc/passwd")),
        ("fileName", json!("가".repeat(200))),
        ("post", json!("a#b")),
        ("visibility", json!("friends")),
        ("owner", json!("somebody-else")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = deployed.ask(&mina, Method::POST, "/v1/uploads", Some(&body)).await;
        assert_eq!((answer.status, &answer.body["type"]), (400, &json!("urn:iyagi:problem:invalid-request")), "{body}");
        assert_eq!(answer.content_type, "application/problem+json", "{body}");
    }
    let huge = json!({"kind": "x".repeat(100_000)});
    let answer = deployed.ask(&mina, Method::POST, "/v1/uploads", Some(&huge)).await;
    assert_eq!((answer.status, &answer.body["type"]), (413, &json!("urn:iyagi:problem:too-large")));
    let answer = deployed.ask(&mina, Method::POST, "/v1/uploads", None).await;
    assert_eq!(answer.status, 400);
    for id in ["x", "7ZZZZZZZZZZZZZZZZZZZZZZZZ", "7zzzzzzzzzzzzzzzzzzzzzzzzz"] {
        let path = format!("/v1/uploads/{id}/complete");
        let answer = deployed.ask(&mina, Method::POST, &path, Some(&json!({"handle": "x"}))).await;
        assert_eq!((answer.status, &answer.body["type"]), (404, &json!("urn:iyagi:problem:not-found")), "{id}");
    }
}
