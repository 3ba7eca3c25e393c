//! The media path through the deployed stack: `template.yaml` as it is, IAM enforced.

mod support;

use std::collections::HashSet;

use domain::media::MediaId;
use futures_util::{StreamExt, stream};
use local::photographs::Photograph;
use serde_json::{Value, json};
use support::{Deployed, bombs, eventually, photograph, photographs, s3_notification, send_message, take_messages};

fn variants(item: &Value) -> &[Value] {
    item["variants"].as_array().expect("variants")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// Whether any of the marks by which metadata is found is in a file. None is so short that
/// compressed pixels would hold it by chance; a position (GPS) lies within EXIF.
fn carries_metadata(bytes: &[u8]) -> bool {
    [b"Exif".as_slice(), b"EXIF", b"ICC_PROFILE", b"ICCP", b"http://ns.adobe.com/xap", b"XMP "]
        .iter()
        .any(|mark| bytes.windows(mark.len()).any(|window| window == *mark))
}

#[tokio::test]
async fn every_photograph_gets_its_variants() {
    let deployed = Deployed::get();
    for Photograph { name, content_type, bytes } in photographs() {
        let id = deployed.upload(&format!("photo/variants/{name}"), content_type, bytes).await;
        let item = deployed.outcome(id).await;
        assert_eq!(item["state"], "ready", "{name}: {item}");
        let (width, height) = (number(&item["width"]), number(&item["height"]));
        let longest = width.max(height);

        // Each bound that the picture reaches, and the picture itself if it is smaller; as JPEG and WebP.
        let mut expected: Vec<u64> = [1080, 512, 128].into_iter().map(|bound| longest.min(bound)).collect();
        expected.dedup();
        let sides = |kind: &str| -> Vec<u64> {
            let of_kind = variants(&item).iter().filter(|variant| variant["type"] == kind);
            of_kind.map(|variant| number(&variant["width"]).max(number(&variant["height"]))).collect()
        };
        assert_eq!(sides("image/jpeg"), expected, "{name}");
        assert_eq!(sides("image/webp"), expected, "{name}");

        for variant in variants(&item) {
            let (status, content_type, bytes) = deployed.fetch(variant["url"].as_str().expect("a URL")).await;
            assert_eq!((status, &json!(content_type)), (200, &variant["type"]), "{name}");
            assert_eq!(bytes.len() as u64, number(&variant["bytes"]), "{name}");
            assert!(!carries_metadata(&bytes), "{name}: metadata in {variant}");
            // What was written can be read, and has the size that the item tells.
            let read = picture::make_variants(&bytes, &picture::Limits::default()).expect("a picture");
            assert_eq!(json!([read.width, read.height]), json!([variant["width"], variant["height"]]), "{name}");
            // Within one pixel of the original's shape.
            let shape = number(&variant["width"]) as f64 / width as f64 * height as f64;
            assert!((shape - number(&variant["height"]) as f64).abs() <= 1.0, "{name}: {variant}");
        }
        assert!(item["placeholder"]["colour"].as_str().is_some_and(|colour| colour.len() == 7), "{name}");
    }
}

#[tokio::test]
async fn the_test_photographs_are_worth_testing_with() {
    let carrying = photographs().iter().filter(|photograph| carries_metadata(&photograph.bytes)).count();
    assert!(carrying > 0, "no photograph carries metadata: that it goes is not tested");
}

#[tokio::test]
async fn what_is_no_picture_fails_with_its_reason() {
    let deployed = Deployed::get();
    let jpeg = photograph("고양이.jpg");
    let mut broken = one_of("image/png");
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    let mut cases = vec![
        ("text.jpg", "image/jpeg", b"This is a text.".to_vec(), "unsupported_format"),
        ("page.jpg", "image/jpeg", b"<html><script>alert(1)</script></html>".to_vec(), "unsupported_format"),
        ("drawing.svg", "image/svg+xml", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), "unsupported_format"),
        ("truncated.jpg", "image/jpeg", jpeg[..jpeg.len() / 2].to_vec(), "truncated"),
        ("empty.jpg", "image/jpeg", Vec::new(), "empty"),
        ("mislabelled.png", "image/png", jpeg, "type_mismatch"),
        ("broken.png", "image/png", broken, "corrupt"),
    ];
    for (name, bytes) in bombs() {
        cases.push((name, "application/octet-stream", bytes, "too_many_pixels"));
    }
    for (name, content_type, bytes, reason) in cases {
        let id = deployed.upload(&format!("photo/hostile/{name}"), content_type, bytes).await;
        let item = deployed.outcome(id).await;
        assert_eq!((&item["state"], &item["reason"]), (&json!("failed"), &json!(reason)), "{name}");
        assert!(deployed.variants(id).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn names_may_hold_anything() {
    let deployed = Deployed::get();
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
    let mut ids = HashSet::new();
    for name in names {
        ids.insert(deployed.upload(&format!("photo/names/{name}"), "image/jpeg", photograph("고양이.jpg")).await);
    }
    // NFC and NFD look the same and are two objects, so two items.
    assert_eq!(ids.len(), names.len());
    for id in ids {
        assert_eq!(deployed.outcome(id).await["state"], "ready");
    }
    // The longest key that S3 takes: 1,024 bytes.
    let long = format!("photo/names/{}{}.jpg", "가".repeat(335), "abc");
    assert_eq!(long.len(), 1_024);
    let id = deployed.upload(&long, "image/jpeg", photograph("고양이.jpg")).await;
    assert_eq!(deployed.outcome(id).await["state"], "ready");
}

#[tokio::test]
async fn avatars_are_pictures_too() {
    let deployed = Deployed::get();
    let id = deployed.upload("avatar/avatars/me.jpg", "image/jpeg", photograph("고양이.jpg")).await;
    let item = deployed.outcome(id).await;
    assert_eq!((&item["state"], &item["kind"]), (&json!("ready"), &json!("avatar")));
}

#[tokio::test]
async fn deleting_the_original_deletes_everything() {
    let deployed = Deployed::get();
    let key = "photo/deleted/a.jpg";
    let id = deployed.upload(key, "image/jpeg", photograph("고양이.jpg")).await;
    let item = deployed.outcome(id).await;
    let link = variants(&item)[0]["url"].as_str().expect("a URL").to_owned();
    deployed.delete(key).await;
    gone(&deployed, id).await;
    // Who may not list a bucket is not told that there is no such object.
    assert_eq!(deployed.fetch(&link).await.0, 403);
    let (_, _, list) = deployed.get_json("/v1/media?owner=deleted").await;
    assert_eq!(list, json!({"items": []}));
}

#[tokio::test]
async fn deleted_before_it_is_processed_is_deleted() {
    let deployed = Deployed::get();
    for round in 0..10 {
        let key = format!("photo/hasty/{round}.jpg");
        let id = deployed.upload(&key, "image/jpeg", photograph("고양이.jpg")).await;
        deployed.delete(&key).await;
        gone_for_good(&deployed, id).await;
    }
}

#[tokio::test]
async fn late_and_repeated_news_bring_nothing_back() {
    let deployed = Deployed::get();
    let key = "photo/late/a.jpg";
    let bytes = photograph("고양이.jpg");
    let id = deployed.upload(key, "image/jpeg", bytes.clone()).await;
    deployed.outcome(id).await;
    let etag = deployed.aws.etag(deployed.output("OriginalsBucketName"), key).await.expect("an ETag");
    deployed.delete(key).await;
    gone(&deployed, id).await;
    // Older than anything the emulator counts.
    let late = s3_notification("ObjectCreated:Put", key, "0000000000000001", bytes.len(), &etag);
    for queue in ["ThumbnailQueueUrl", "MetadataQueueUrl"] {
        for _ in 0..3 {
            send_message(&deployed.aws, deployed.output(queue), &late).await;
        }
    }
    gone_for_good(&deployed, id).await;
}

#[tokio::test]
async fn an_overwrite_replaces_the_picture() {
    let deployed = Deployed::get();
    let key = "photo/overwritten/a";
    let id = deployed.upload(key, "image/jpeg", one_of("image/jpeg")).await;
    let before = deployed.outcome(id).await;
    deployed.upload(key, "image/png", one_of("image/png")).await;
    let after = eventually("the second picture", async || {
        deployed.item(id).await.filter(|item| item["state"] == "ready" && item["placeholder"] != before["placeholder"])
    })
    .await;
    // Nothing of the first is left, everything of the second is there.
    eventually("the first picture's variants to go", async || {
        (deployed.variants(id).await.len() == variants(&after).len()).then_some(())
    })
    .await;
    for variant in variants(&after) {
        assert_eq!(deployed.fetch(variant["url"].as_str().expect("a URL")).await.0, 200);
    }
    assert_eq!(deployed.fetch(variants(&before)[0]["url"].as_str().expect("a URL")).await.0, 403);

    // What replaces a picture may be none: then nothing is shown of either.
    deployed.upload(key, "image/jpeg", b"no picture".to_vec()).await;
    eventually("the failure", async || deployed.item(id).await.filter(|item| item["state"] == "failed")).await;
    assert!(deployed.variants(id).await.is_empty());
}

#[tokio::test]
async fn what_nobody_sent_goes_to_the_dead_letters_at_once() {
    let deployed = Deployed::get();
    for (queue, dead_letters) in
        [("ThumbnailQueueUrl", "ThumbnailDeadLettersUrl"), ("MetadataQueueUrl", "MetadataDeadLettersUrl")]
    {
        let poison = format!("not JSON, on {queue}");
        send_message(&deployed.aws, deployed.output(queue), &poison).await;
        eventually("the dead letter", async || {
            let taken = take_messages(&deployed.aws, deployed.output(dead_letters), |body| body == poison).await;
            (!taken.is_empty()).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn what_changes_nothing_is_acknowledged() {
    let deployed = Deployed::get();
    let test_event = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-22T00:00:00.000Z"});
    let unowned = s3_notification("ObjectCreated:Put", "photo/nobody.jpg", "0A", 1, "e");
    for queue in ["ThumbnailQueueUrl", "MetadataQueueUrl"] {
        send_message(&deployed.aws, deployed.output(queue), &test_event.to_string()).await;
        send_message(&deployed.aws, deployed.output(queue), &unowned).await;
    }
    for (queue, dead_letters) in
        [("ThumbnailQueueUrl", "ThumbnailDeadLettersUrl"), ("MetadataQueueUrl", "MetadataDeadLettersUrl")]
    {
        // What is not acknowledged stays in the queue, invisible for minutes.
        eventually(&format!("{queue} to be empty"), async || is_idle(&deployed, queue).await.then_some(())).await;
        let ours = |body: &str| body.contains("nobody.jpg") || body.contains("TestEvent");
        assert_eq!(take_messages(&deployed.aws, deployed.output(dead_letters), ours).await, [""; 0]);
    }
}

#[tokio::test]
async fn two_hundred_at_once() {
    const COUNT: usize = 200;
    let deployed = Deployed::get();
    let photographs = photographs();
    let ids: Vec<MediaId> = stream::iter(0..COUNT)
        .map(|index| {
            let Photograph { content_type, bytes, .. } = photographs[index % photographs.len()].clone();
            deployed.upload_owned(format!("photo/crowd/{index}"), content_type, bytes)
        })
        .buffer_unordered(32)
        .collect()
        .await;

    // Page by page, as a client reads; every item once.
    let items = eventually("200 items to be ready", async || {
        let items = all_of(&deployed, "crowd").await;
        let ready = items.iter().filter(|item| item["state"] == "ready").count();
        (ready == COUNT).then_some(items)
    })
    .await;
    let listed: HashSet<_> = items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(items.len(), COUNT);
    assert_eq!(listed, ids.iter().map(ToString::to_string).collect());
    let times: Vec<_> = items.iter().map(|item| item["uploadedAt"].as_str().expect("a time")).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    for (item, id) in
        items.iter().map(|item| (item, item["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")))
    {
        assert_eq!(deployed.variants(id).await.len(), variants(item).len(), "{item}");
    }
    for dead_letters in ["ThumbnailDeadLettersUrl", "MetadataDeadLettersUrl"] {
        let ours = |body: &str| body.contains("photo/crowd/") || body.contains("photo%2Fcrowd");
        assert_eq!(take_messages(&deployed.aws, deployed.output(dead_letters), ours).await, [""; 0]);
    }
}

#[tokio::test]
async fn the_api_says_what_is_wrong() {
    let deployed = Deployed::get();
    let nobody = MediaId::of_key("photo/nobody/nothing.jpg");
    for (path, status, kind) in [
        (format!("/v1/media/{nobody}"), 404, "urn:iyagi:problem:not-found"),
        ("/v1/media/not-an-id".to_owned(), 404, "urn:iyagi:problem:not-found"),
        (format!("/v1/media/{}", nobody.to_string().to_lowercase()), 404, "urn:iyagi:problem:not-found"),
        ("/v1/media?what=x".to_owned(), 400, "urn:iyagi:problem:invalid-request"),
        ("/v1/media?owner=".to_owned(), 400, "urn:iyagi:problem:invalid-request"),
        ("/v1/media?owner=x&limit=0".to_owned(), 400, "urn:iyagi:problem:invalid-request"),
        ("/v1/media?owner=x&limit=101".to_owned(), 400, "urn:iyagi:problem:invalid-request"),
        ("/v1/media?owner=x&cursor=%21".to_owned(), 400, "urn:iyagi:problem:invalid-cursor"),
    ] {
        let (answered, content_type, problem) = deployed.get_json(&path).await;
        assert_eq!((answered, &problem["type"]), (status, &json!(kind)), "{path}");
        assert_eq!(content_type, "application/problem+json", "{path}");
    }
}

/// A photograph of this type.
fn one_of(content_type: &str) -> Vec<u8> {
    photographs().into_iter().find(|photograph| photograph.content_type == content_type).expect("a photograph").bytes
}

/// Waits until the API knows nothing of an item and nothing is left of it.
async fn gone(deployed: &Deployed, id: MediaId) {
    eventually(&format!("{id} to be gone"), async || {
        (deployed.item(id).await.is_none() && deployed.variants(id).await.is_empty()).then_some(())
    })
    .await;
}

/// Like [`gone`], and nothing is on its way any more that could bring it back.
async fn gone_for_good(deployed: &Deployed, id: MediaId) {
    gone(deployed, id).await;
    for queue in ["ThumbnailQueueUrl", "MetadataQueueUrl"] {
        eventually(&format!("{queue} to be empty"), async || is_idle(deployed, queue).await.then_some(())).await;
    }
    gone(deployed, id).await;
}

/// Whether a queue holds no message, neither waiting nor in work.
async fn is_idle(deployed: &Deployed, queue: &str) -> bool {
    let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    let input = json!({"QueueUrl": deployed.output(queue), "AttributeNames": names});
    let answer = deployed.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &input).await.expect("attributes");
    names.iter().all(|name| answer["Attributes"][name] == "0")
}

/// All items of an owner, page by page.
async fn all_of(deployed: &Deployed, owner: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = format!("/v1/media?owner={owner}&limit=30");
    loop {
        let (status, _, page) = deployed.get_json(&path).await;
        assert_eq!(status, 200, "{page}");
        items.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/media?owner={owner}&limit=30&cursor={next}"),
            None => return items,
        }
    }
}
