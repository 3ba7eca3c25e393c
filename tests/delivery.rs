//! What was made of uploads, fetched as clients fetch it: through an edge of the distribution.

mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use cdn_signing::{Signer, UrlBuilder};
use domain::media::{Kind, MediaId};
use http::Method;
use local::{delivery_key, uploads::File};
use reqwest::header::{self, HeaderMap};
use serde_json::{Value, json};
use support::{Deployed, eventually, photograph};

const LIFETIME_SECONDS: u64 = 60;
/// The photograph, 451 pixels wide, is shown as it is and with 128; each as JPEG and WebP.
const FILES: usize = 4;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

async fn ask(method: Method, url: &str, range: Option<&str>) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = reqwest::Client::new().request(method, url);
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    let answer = request.header(header::ORIGIN, "https://app.example").send().await.expect("an answer");
    (answer.status().as_u16(), answer.headers().clone(), answer.bytes().await.expect("a body").to_vec())
}

async fn status(url: &str) -> u16 {
    ask(Method::GET, url, None).await.0
}

/// Stores an original as an upload with this visibility does.
async fn upload(deployed: &Deployed, key: &str, visibility: &str) -> MediaId {
    let headers = [("content-type", "image/jpeg"), ("x-amz-meta-visibility", visibility)];
    let path = format!("/{}/{key}", deployed.output("OriginalsBucketName"));
    let stored = deployed.aws.send("s3", Method::PUT, &path, &headers, photograph("고양이.jpg")).await.expect("stored");
    assert!(stored.status.is_success(), "{}", stored.status);
    MediaId::of_key(key)
}

/// Waits for the files of an item, all of one generation.
async fn files(deployed: &Deployed, id: MediaId) -> Vec<String> {
    eventually(&format!("the files of {id}"), async || {
        Some(deployed.variants(id).await).filter(|keys| keys.len() == FILES)
    })
    .await
}

/// URLs signed with the key that the distribution trusts.
async fn signing(deployed: &Deployed) -> UrlBuilder {
    let input = json!({"SecretId": "iyagi/delivery"});
    let secret = deployed.aws.json("secretsmanager", "secretsmanager.GetSecretValue", &input).await.expect("a secret");
    let signer = Signer::from_pem(delivery_key::ID, secret["SecretString"].as_str().expect("PEM")).expect("a key");
    UrlBuilder::new(deployed.stack.delivery(), Some(signer)).expect("URLs")
}

fn signed(builder: &UrlBuilder, keys: &[String], expires: u64) -> Vec<String> {
    builder.urls(&keys.iter().map(String::as_str).collect::<Vec<_>>(), expires).expect("URLs")
}

#[tokio::test]
async fn the_api_links_to_what_is_delivered_until_it_is_deleted() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let name = "고양이.jpg";
    for visibility in ["public", "followers", "private"] {
        let bytes = photograph(name);
        let file = File { kind: Kind::Photo, name, content_type: "image/jpeg", bytes, visibility, post: None };
        let id = deployed.send(&mina, &file).await.id;
        let item = deployed.outcome_for(&mina, id).await;
        let variants = item["variants"].as_array().expect("variants");
        assert_eq!(variants.len(), FILES);
        let url = |variant: &Value| variant["url"].as_str().expect("a URL").to_owned();
        for variant in variants {
            let url = url(variant);
            let (path, signature) = url.split_once('?').map_or((&url[..], None), |(path, query)| (path, Some(query)));
            assert!(path.starts_with(&format!("{}/{id}/", deployed.stack.delivery())), "{url}");
            assert_eq!(signature.is_none(), visibility == "public", "{url}");
            assert_eq!(status(path).await, if signature.is_none() { 200 } else { 403 }, "{url}");
            let (status, headers, bytes) = ask(Method::GET, &url, None).await;
            assert_eq!((status, json!(bytes.len())), (200, variant["bytes"].clone()), "{url}");
            assert_eq!(headers["content-type"], variant["type"].as_str().expect("a type"));
        }
        let path = format!("/v1/media/{id}");
        assert_eq!(deployed.ask(&mina, Method::DELETE, &path, None).await.status, 204);
        let is_gone = async || deployed.ask(&mina, Method::GET, &path, None).await.status == 404;
        eventually("the item to go", async || is_gone().await.then_some(())).await;
        for variant in variants {
            eventually("the edge to refuse", async || (status(&url(variant)).await == 403).then_some(())).await;
        }
    }
}

#[tokio::test]
async fn files_are_delivered_safely_and_in_parts_until_they_are_deleted() {
    let deployed = Deployed::get();
    let key = "photo/delivered/a.jpg";
    let id = upload(&deployed, key, "public").await;
    let keys = files(&deployed, id).await;
    let urls: Vec<_> = keys.iter().map(|key| format!("{}/{key}", deployed.stack.delivery())).collect();
    for url in &urls {
        let (status, headers, bytes) = ask(Method::GET, url, None).await;
        assert_eq!(status, 200, "{url}");
        for (name, value) in [
            ("content-type", if url.ends_with("webp") { "image/webp" } else { "image/jpeg" }),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("access-control-allow-origin", "*"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(headers.get(name).and_then(|value| value.to_str().ok()), Some(value), "{name} of {url}");
        }
        let (status, headers, part) = ask(Method::GET, url, Some("bytes=10-19")).await;
        assert_eq!((status, &part[..]), (206, &bytes[10..20]));
        assert_eq!(headers["content-range"], format!("bytes 10-19/{}", bytes.len()));
        let (status, headers, body) = ask(Method::HEAD, url, None).await;
        assert_eq!((status, body.len()), (200, 0));
        assert_eq!(headers["content-length"], bytes.len().to_string());
        assert_eq!(ask(Method::POST, url, None).await.0, 403);
    }

    deployed.delete(key).await;
    for url in &urls {
        eventually("the edge to refuse", async || (status(url).await == 403).then_some(())).await;
    }
    // Caches, which the edge here does not have, have been told.
    eventually("the caches to be told", async || invalidated(&deployed, id).await.then_some(())).await;
    eventually("nothing to be left", async || deployed.variants(id).await.is_empty().then_some(())).await;
}

#[tokio::test]
async fn what_is_not_public_passes_only_with_a_signature_for_it() {
    let deployed = Deployed::get();
    let builder = signing(&deployed).await;
    for visibility in ["followers", "private"] {
        let (key, other) = (format!("photo/closed/{visibility}.jpg"), format!("photo/closed/{visibility}-other.jpg"));
        let id = upload(&deployed, &key, visibility).await;
        let other = upload(&deployed, &other, visibility).await;
        let (keys, others) = (files(&deployed, id).await, files(&deployed, other).await);
        let good = signed(&builder, &keys, now() + LIFETIME_SECONDS);
        for url in &good {
            assert_eq!(status(url).await, 200, "{url}");
            assert_eq!(ask(Method::GET, url, Some("bytes=0-3")).await.0, 206);
        }
        let (path, query) = good[0].split_once('?').expect("a query");
        let elsewhere = format!("{}/{}?{query}", deployed.stack.delivery(), others[0]);
        for (url, code) in [
            (path.to_owned(), "MissingKey"),
            (format!("{path}?{}", query.replace(delivery_key::ID, "KOTHER")), "InvalidKey"),
            (format!("{path}?{}", query.replace("Signature=", "Signature=A")), "AccessDenied"),
            (format!("{path}?{}", query.replace("&Hash-Algorithm=SHA256", "")), "AccessDenied"),
            (elsewhere, "AccessDenied"),
            (signed(&builder, &keys, now()).swap_remove(0), "AccessDenied"),
        ] {
            let (status, _, body) = ask(Method::GET, &url, None).await;
            let body = String::from_utf8(body).expect("text");
            assert_eq!(status, 403, "{url}");
            assert!(body.contains(&format!("<Code>{code}</Code>")), "{url}: {body}");
        }
        deployed.delete(&key).await;
        for url in &good {
            eventually("the edge to refuse", async || (status(url).await == 403).then_some(())).await;
        }
    }
}

#[tokio::test]
async fn becoming_less_visible_ends_the_old_addresses() {
    let deployed = Deployed::get();
    // Anew each time: what was left closed is not to be taken for what is open.
    let key = &format!("photo/withdrawn/{}.jpg", now());
    let id = upload(&deployed, key, "public").await;
    let builder = signing(&deployed).await;
    let old = signed(&builder, &files(&deployed, id).await, now() + LIFETIME_SECONDS);
    for url in &old {
        assert_eq!((status(url).await, url.contains('?')), (200, false), "{url}");
    }
    upload(&deployed, key, "private").await;
    for url in &old {
        eventually("the edge to refuse", async || (status(url).await == 403).then_some(())).await;
    }
    eventually("the caches to be told", async || invalidated(&deployed, id).await.then_some(())).await;
    // What replaces it is there, and closed.
    let keys = files(&deployed, id).await;
    for key in &keys {
        assert_eq!(status(&format!("{}/{key}", deployed.stack.delivery())).await, 403, "{key}");
    }
    for url in signed(&builder, &keys, now() + LIFETIME_SECONDS) {
        assert_eq!(status(&url).await, 200);
    }
}

#[tokio::test]
async fn originals_and_buckets_are_reachable_by_nobody() {
    let deployed = Deployed::get();
    let key = "photo/hidden/a.jpg";
    let id = upload(&deployed, key, "public").await;
    let variant = files(&deployed, id).await.swap_remove(0);
    let (edge, aws) = (deployed.stack.delivery(), deployed.stack.emulator.endpoint());
    let (originals, derived) = (deployed.output("OriginalsBucketName"), deployed.output("DerivedBucketName"));
    for url in [
        format!("{edge}/"),
        format!("{edge}/{key}"),
        format!("{edge}/{id}/"),
        format!("{edge}/{originals}/{key}"),
        format!("{edge}/x/open/%2e%2e/%2e%2e/{key}"),
        format!("{edge}/open/open/{key}"),
        format!("{aws}/{originals}/{key}"),
        format!("{aws}/{derived}/{variant}"),
        format!("{aws}/{derived}?list-type=2"),
    ] {
        let (status, _, body) = ask(Method::GET, &url, None).await;
        assert_eq!(status, 403, "{url}: {}", String::from_utf8_lossy(&body));
    }
    // The same asked rightly is answered: the refusals above are about who asks for what.
    assert_eq!(status(&format!("{edge}/{variant}")).await, 200);
}

/// Whether caches have been told to forget what they hold of an item.
async fn invalidated(deployed: &Deployed, id: MediaId) -> bool {
    let path = format!("/2020-05-31/distribution/{}/invalidation", deployed.output("DistributionId"));
    let list = get(deployed, &path).await;
    for batch in list.split("<Id>").skip(1).filter_map(|rest| rest.split_once("</Id>")) {
        if get(deployed, &format!("{path}/{}", batch.0)).await.contains(&format!("<Path>/{id}/*</Path>")) {
            return true;
        }
    }
    false
}

async fn get(deployed: &Deployed, path: &str) -> String {
    let answer = deployed.aws.send("cloudfront", Method::GET, path, &[], Vec::new()).await.expect("an answer");
    assert!(answer.status.is_success(), "{path}: {}", answer.status);
    String::from_utf8(answer.body).expect("text")
}
