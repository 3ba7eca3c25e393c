//! Pictures through the deployed stack, and how the API shows them.
//!
//! Functions: upload-api, thumbnailer, metadata-writer, media-api.

mod events;
mod forged_reports;
mod removal;
mod story_visibility;

use std::collections::HashSet;

use domain::media::MediaId;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use test_support::{
    bytes::contains,
    oversized_pictures::oversized_pictures,
    photographs::{Photograph, photograph, photograph_of_type, photographs},
    queues::take_messages,
    wait::wait_for,
};

use crate::deployed::Deployed;

fn variants(item: &Value) -> &[Value] {
    item["variants"].as_array().expect("variants")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("number")
}

/// Whether a file contains a marker of metadata. The markers are long enough that compressed pixels do not contain them
/// by chance. A GPS position lies within EXIF.
fn has_metadata(file: &[u8]) -> bool {
    [b"Exif".as_slice(), b"EXIF", b"ICC_PROFILE", b"ICCP", b"http://ns.adobe.com/xap", b"XMP "]
        .iter()
        .any(|marker| contains(file, marker))
}

#[tokio::test]
async fn photographs_get_variants_of_all_sizes_without_metadata() {
    let deployed = Deployed::shared().await;
    for Photograph { name, content_type, bytes } in photographs() {
        let id = deployed.put_original(&format!("photo/variants/{name}"), content_type, bytes).await;
        let item = deployed.wait_until_processed(id).await;
        assert_eq!(item["state"], "ready", "{name}: {item}");
        let (width, height) = (number(&item["width"]), number(&item["height"]));
        let longest = width.max(height);

        // Each bound up to the picture's size, and the picture's own size if it is smaller; as JPEG and WebP.
        let mut expected: Vec<u64> = [1080, 512, 128].into_iter().map(|bound| longest.min(bound)).collect();
        expected.dedup();
        let longest_sides = |kind: &str| -> Vec<u64> {
            let of_kind = variants(&item).iter().filter(|variant| variant["type"] == kind);
            of_kind.map(|variant| number(&variant["width"]).max(number(&variant["height"]))).collect()
        };
        assert_eq!(longest_sides("image/jpeg"), expected, "{name}");
        assert_eq!(longest_sides("image/webp"), expected, "{name}");

        for variant in variants(&item) {
            let (status, content_type, file) = deployed.fetch(variant["url"].as_str().expect("URL")).await;
            assert_eq!((status, &json!(content_type)), (200, &variant["type"]), "{name}");
            assert_eq!(file.len() as u64, number(&variant["bytes"]), "{name}");
            assert!(!has_metadata(&file), "{name}: metadata in {variant}");
            // The file can be decoded, and has the dimensions of the item.
            let decoded = picture::make_variants(&file, &picture::Limits::default()).expect("picture");
            assert_eq!(json!([decoded.width, decoded.height]), json!([variant["width"], variant["height"]]), "{name}");
            // Its aspect ratio is that of the original, within one pixel.
            let expected_height = number(&variant["width"]) as f64 / width as f64 * height as f64;
            assert!((expected_height - number(&variant["height"]) as f64).abs() <= 1.0, "{name}: {variant}");
        }
        assert!(item["placeholder"]["colour"].as_str().is_some_and(|colour| colour.len() == 7), "{name}");
    }
}

#[test]
fn test_photographs_include_one_with_metadata() {
    assert!(photographs().iter().any(|photograph| has_metadata(&photograph.bytes)), "its removal is not tested");
}

#[tokio::test]
async fn invalid_picture_fails_with_reason() {
    let deployed = Deployed::shared().await;
    let jpeg = photograph("고양이.jpg");
    let mut broken = photograph_of_type("image/png");
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    let mut cases = vec![
        ("text.jpg", "image/jpeg", b"This is a text.".to_vec(), "unsupported_format"),
        ("page.jpg", "image/jpeg", b"<html><script>alert(1)</script></html>".to_vec(), "unsupported_format"),
        ("drawing.svg", "image/svg+xml", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), "unsupported_format"),
        ("truncated.jpg", "image/jpeg", jpeg[..jpeg.len() / 2].to_vec(), "truncated"),
        ("empty.jpg", "image/jpeg", Vec::new(), "empty"),
        ("broken.png", "image/png", broken, "corrupt"),
    ];
    for (name, content) in oversized_pictures() {
        cases.push((name, "application/octet-stream", content, "too_many_pixels"));
    }
    for (name, content_type, content, reason) in cases {
        let id = deployed.put_original(&format!("photo/hostile/{name}"), content_type, content).await;
        let item = deployed.wait_until_processed(id).await;
        assert_eq!((&item["state"], &item["reason"]), (&json!("failed"), &json!(reason)), "{name}");
        assert!(deployed.derived_keys(id).await.is_empty(), "{name}");
    }
}

/// Content decides. The item has both types.
#[tokio::test]
async fn picture_declared_as_another_type_is_processed_as_what_it_is() {
    let deployed = Deployed::shared().await;
    let jpeg = photograph("고양이.jpg");
    // A whole picture, whose end marker is missing.
    let unended = jpeg[..jpeg.len() - 2].to_vec();
    for (name, declared, content) in [("mislabelled.png", "image/png", jpeg), ("unended.webp", "image/webp", unended)] {
        let id = deployed.put_original(&format!("photo/mislabelled/{name}"), declared, content).await;
        let item = deployed.wait_until_processed(id).await;
        assert_eq!(item["state"], "ready", "{name}");
        assert_eq!((&item["contentType"], &item["detectedType"]), (&json!(declared), &json!("image/jpeg")), "{name}");
    }
}

#[tokio::test]
async fn any_file_name_is_a_separate_item() {
    let deployed = Deployed::shared().await;
    let names = [
        "with space.jpg",
        "a+b.jpg",
        "100%.jpg",
        "%2B.jpg",
        "a&b=c?d#e.jpg",
        "quote's\"and<tags>.jpg",
        "sub/folder//deep.jpg",
        "\u{d55c}\u{ae00}.jpg",
        "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}.jpg",
        "📷.jpg",
    ];
    let upload = async |key: &str| deployed.put_original(key, "image/jpeg", photograph("고양이.jpg")).await;
    let mut ids = HashSet::new();
    for name in names {
        ids.insert(upload(&format!("photo/names/{name}")).await);
    }
    // The same name in NFC and NFD is two objects, and so two items.
    assert_eq!(ids.len(), names.len());
    // The longest key that S3 accepts: 1,024 bytes.
    let longest = format!("photo/names/{}{}.jpg", "가".repeat(335), "abc");
    assert_eq!(longest.len(), 1_024);
    ids.insert(upload(&longest).await);
    for id in ids {
        assert_eq!(deployed.wait_until_processed(id).await["state"], "ready");
    }
}

#[tokio::test]
async fn avatar_is_processed_as_picture() {
    let deployed = Deployed::shared().await;
    let id = deployed.put_original("avatar/avatars/me.jpg", "image/jpeg", photograph("고양이.jpg")).await;
    let item = deployed.wait_until_processed(id).await;
    assert_eq!((&item["state"], &item["kind"]), (&json!("ready"), &json!("avatar")));
}

#[tokio::test]
async fn two_hundred_concurrent_uploads_are_all_ready_and_listed_once() {
    const COUNT: usize = 200;
    let deployed = Deployed::shared().await;
    let photographs = photographs();
    let upload = async |index: usize| {
        let Photograph { content_type, bytes, .. } = photographs[index % photographs.len()].clone();
        deployed.put_original(&format!("photo/crowd/{index}"), content_type, bytes).await
    };
    let ids: HashSet<MediaId> = stream::iter(0..COUNT).map(upload).buffer_unordered(32).collect().await;

    let items = wait_for("200 items to be ready", async || {
        let items = deployed.list_all(deployed.reader().await, "owner=crowd&limit=30").await;
        let ready = items.iter().filter(|item| item["state"] == "ready").count();
        (ready == COUNT).then_some(items)
    })
    .await;
    assert_eq!(items.len(), COUNT);
    let id = |item: &Value| -> MediaId { item["id"].as_str().and_then(|id| id.parse().ok()).expect("id") };
    assert_eq!(items.iter().map(id).collect::<HashSet<_>>(), ids);
    let times: Vec<_> = items.iter().map(|item| item["uploadedAt"].as_str().expect("time")).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "the newest is not first");
    for item in &items {
        assert_eq!(deployed.derived_keys(id(item)).await.len(), variants(item).len(), "{item}");
    }
    for dead_letters in ["ThumbnailDeadLettersUrl", "MetadataDeadLettersUrl", "PictureReportsDeadLettersUrl"] {
        let ours = |body: &str| body.contains("photo/crowd/") || body.contains("photo%2Fcrowd");
        assert_eq!(take_messages(&deployed.aws, deployed.output(dead_letters), ours).await, [""; 0]);
    }
}

#[tokio::test]
async fn invalid_request_returns_its_problem() {
    let deployed = Deployed::shared().await;
    let unknown = MediaId::of_key("photo/unknown/nothing.jpg");
    for (path, status, kind) in [
        (format!("/v1/media/{unknown}"), 404, "urn:iyagi:problem:not-found"),
        ("/v1/media/not-an-id".to_owned(), 404, "urn:iyagi:problem:not-found"),
        (format!("/v1/media/{}", unknown.to_string().to_lowercase()), 404, "urn:iyagi:problem:not-found"),
        ("/v1/media?what=x".to_owned(), 400, "urn:iyagi:problem:invalid-request"),
        ("/v1/media?owner=".to_owned(), 400, "urn:iyagi:problem:invalid-request"),
        ("/v1/media?owner=x&limit=0".to_owned(), 400, "urn:iyagi:problem:invalid-request"),
        ("/v1/media?owner=x&limit=101".to_owned(), 400, "urn:iyagi:problem:invalid-request"),
        ("/v1/media?owner=x&cursor=%21".to_owned(), 400, "urn:iyagi:problem:invalid-cursor"),
    ] {
        let response = deployed.get(deployed.reader().await, &path).await;
        assert_eq!(response.problem(), (status, kind), "{path}");
    }
}
