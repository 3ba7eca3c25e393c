//! Derived files, fetched through the CDN as clients fetch them.
//!
//! Functions: upload-api, thumbnailer, metadata-writer, media-api.

use std::time::{SystemTime, UNIX_EPOCH};

use cdn_signing::{Signer, UrlBuilder};
use domain::media::{Kind, MediaId};
use http::Method;
use reqwest::header::{self, HeaderMap};
use serde_json::{Value, json};
use stack::{cdn_key, uploads::UploadFile};
use test_support::{
    photographs::photograph,
    wait::{wait_for, wait_until},
};

use crate::deployed::Deployed;

const LIFETIME_SECONDS: u64 = 60;
/// A picture 451 pixels wide has variants of its own size and of 128 pixels, each as JPEG and WebP.
const VARIANTS: usize = 4;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

async fn fetch(method: Method, url: &str, range: Option<&str>) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = reqwest::Client::new().request(method, url);
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    let response = request.header(header::ORIGIN, "https://app.example").send().await.expect("response");
    (response.status().as_u16(), response.headers().clone(), response.bytes().await.expect("body").to_vec())
}

async fn status(url: &str) -> u16 {
    fetch(Method::GET, url, None).await.0
}

/// Waits until the CDN refuses each of these URLs.
async fn wait_until_refused(urls: &[String]) {
    for url in urls {
        wait_until("the CDN to refuse", async || status(url).await == 403).await;
    }
}

/// Stores an original with the metadata of an upload with this visibility.
async fn put_original(deployed: &Deployed, key: &str, visibility: &str) -> MediaId {
    let headers = [("content-type", "image/jpeg"), ("x-amz-meta-visibility", visibility)];
    let path = format!("/{}/{key}", deployed.output("OriginalsBucketName"));
    let stored = deployed.aws.send("s3", Method::PUT, &path, &headers, photograph("고양이.jpg")).await;
    let status = stored.expect("response").status;
    assert!(status.is_success(), "{status}");
    MediaId::of_key(key)
}

/// Waits for the variants of an item; all are of one generation.
async fn variant_keys(deployed: &Deployed, id: MediaId) -> Vec<String> {
    wait_for(&format!("the variants of {id}"), async || {
        Some(deployed.derived_keys(id).await).filter(|keys| keys.len() == VARIANTS)
    })
    .await
}

/// Signs URLs with the key that the distribution trusts.
async fn signing(deployed: &Deployed) -> UrlBuilder {
    let input = json!({"SecretId": "iyagi/delivery"});
    let secret = deployed.aws.json("secretsmanager", "secretsmanager.GetSecretValue", &input).await.expect("secret");
    let signer = Signer::from_pem(cdn_key::KEY_ID, secret["SecretString"].as_str().expect("PEM")).expect("key");
    UrlBuilder::new(deployed.stack.cdn_endpoint(), Some(signer)).expect("addresses")
}

fn sign(urls: &UrlBuilder, keys: &[String], expires: u64) -> Vec<String> {
    urls.urls(&keys.iter().map(String::as_str).collect::<Vec<_>>(), expires).expect("URLs")
}

#[tokio::test]
async fn variant_urls_of_api_work_until_deletion() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let name = "고양이.jpg";
    for visibility in ["public", "followers", "private"] {
        let bytes = photograph(name);
        let file = UploadFile { kind: Kind::Photo, name, content_type: "image/jpeg", bytes, visibility, post: None };
        let (sent, item) = deployed.upload_and_process(&mina, &file).await;
        let id = sent.id;
        let variants = item["variants"].as_array().expect("variants");
        assert_eq!(variants.len(), VARIANTS);
        let url = |variant: &Value| variant["url"].as_str().expect("URL").to_owned();
        for variant in variants {
            let url = url(variant);
            let (path, signature) = url.split_once('?').map_or((&url[..], None), |(path, query)| (path, Some(query)));
            assert!(path.starts_with(&format!("{}/{id}/", deployed.stack.cdn_endpoint())), "{url}");
            assert_eq!(signature.is_none(), visibility == "public", "{url}");
            assert_eq!(status(path).await, if signature.is_none() { 200 } else { 403 }, "{url}");
            let (status, headers, bytes) = fetch(Method::GET, &url, None).await;
            assert_eq!((status, json!(bytes.len())), (200, variant["bytes"].clone()), "{url}");
            assert_eq!(headers["content-type"], variant["type"].as_str().expect("type"));
        }
        deployed.delete_item(&mina, id).await;
        wait_until_refused(&variants.iter().map(url).collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn public_file_has_security_headers_and_ranges_until_deletion() {
    let deployed = Deployed::shared().await;
    let key = "photo/delivered/a.jpg";
    let id = put_original(&deployed, key, "public").await;
    let keys = variant_keys(&deployed, id).await;
    let urls: Vec<_> = keys.iter().map(|key| format!("{}/{key}", deployed.stack.cdn_endpoint())).collect();
    for url in &urls {
        let (status, headers, bytes) = fetch(Method::GET, url, None).await;
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
        let (status, headers, part) = fetch(Method::GET, url, Some("bytes=10-19")).await;
        assert_eq!((status, &part[..]), (206, &bytes[10..20]));
        assert_eq!(headers["content-range"], format!("bytes 10-19/{}", bytes.len()));
        let (status, headers, body) = fetch(Method::HEAD, url, None).await;
        assert_eq!((status, body.len()), (200, 0));
        assert_eq!(headers["content-length"], bytes.len().to_string());
        assert_eq!(fetch(Method::POST, url, None).await.0, 403);
    }

    deployed.delete_original(key).await;
    wait_until_refused(&urls).await;
    // The emulator of CloudFront has no caches: only the order to invalidate them can be checked.
    wait_until("the invalidation", async || is_invalidated(&deployed, id).await).await;
    deployed.wait_until_no_derived_files(id).await;
}

#[tokio::test]
async fn closed_file_without_valid_signature_returns_403() {
    let deployed = Deployed::shared().await;
    let urls = signing(&deployed).await;
    for visibility in ["followers", "private"] {
        let (key, other) = (format!("photo/closed/{visibility}.jpg"), format!("photo/closed/{visibility}-other.jpg"));
        let id = put_original(&deployed, &key, visibility).await;
        let other = put_original(&deployed, &other, visibility).await;
        let (keys, others) = (variant_keys(&deployed, id).await, variant_keys(&deployed, other).await);
        let valid = sign(&urls, &keys, now() + LIFETIME_SECONDS);
        for url in &valid {
            assert_eq!(status(url).await, 200, "{url}");
            assert_eq!(fetch(Method::GET, url, Some("bytes=0-3")).await.0, 206);
        }
        let (path, query) = valid[0].split_once('?').expect("query");
        let of_other_file = format!("{}/{}?{query}", deployed.stack.cdn_endpoint(), others[0]);
        for (url, code) in [
            (path.to_owned(), "MissingKey"),
            (format!("{path}?{}", query.replace(cdn_key::KEY_ID, "KOTHER")), "InvalidKey"),
            (format!("{path}?{}", query.replace("Signature=", "Signature=A")), "AccessDenied"),
            (format!("{path}?{}", query.replace("&Hash-Algorithm=SHA256", "")), "AccessDenied"),
            (of_other_file, "AccessDenied"),
            (sign(&urls, &keys, now()).swap_remove(0), "AccessDenied"),
        ] {
            let (status, _, body) = fetch(Method::GET, &url, None).await;
            let body = String::from_utf8(body).expect("text");
            assert_eq!(status, 403, "{url}");
            assert!(body.contains(&format!("<Code>{code}</Code>")), "{url}: {body}");
        }
        deployed.delete_original(&key).await;
        wait_until_refused(&valid).await;
    }
}

#[tokio::test]
async fn urls_of_public_item_are_refused_once_it_is_private() {
    let deployed = Deployed::shared().await;
    // Another key in each run: files of an earlier run are already private.
    let key = &format!("photo/withdrawn/{}.jpg", now());
    let id = put_original(&deployed, key, "public").await;
    let urls = signing(&deployed).await;
    let old = sign(&urls, &variant_keys(&deployed, id).await, now() + LIFETIME_SECONDS);
    for url in &old {
        assert_eq!((status(url).await, url.contains('?')), (200, false), "{url}");
    }
    put_original(&deployed, key, "private").await;
    wait_until_refused(&old).await;
    wait_until("the invalidation", async || is_invalidated(&deployed, id).await).await;
    // The new files need a signature.
    let keys = variant_keys(&deployed, id).await;
    for key in &keys {
        assert_eq!(status(&format!("{}/{key}", deployed.stack.cdn_endpoint())).await, 403, "{key}");
    }
    for url in sign(&urls, &keys, now() + LIFETIME_SECONDS) {
        assert_eq!(status(&url).await, 200);
    }
}

#[tokio::test]
async fn originals_and_buckets_are_not_reachable() {
    let deployed = Deployed::shared().await;
    let key = "photo/hidden/a.jpg";
    let id = put_original(&deployed, key, "public").await;
    let variant = variant_keys(&deployed, id).await.swap_remove(0);
    let (cdn, aws) = (deployed.stack.cdn_endpoint(), deployed.stack.emulator.endpoint());
    let (originals, derived) = (deployed.output("OriginalsBucketName"), deployed.output("DerivedBucketName"));
    for url in [
        format!("{cdn}/"),
        format!("{cdn}/{key}"),
        format!("{cdn}/{id}/"),
        format!("{cdn}/{originals}/{key}"),
        format!("{cdn}/x/open/%2e%2e/%2e%2e/{key}"),
        format!("{cdn}/open/open/{key}"),
        format!("{aws}/{originals}/{key}"),
        format!("{aws}/{derived}/{variant}"),
        format!("{aws}/{derived}?list-type=2"),
    ] {
        let (status, _, body) = fetch(Method::GET, &url, None).await;
        assert_eq!(status, 403, "{url}: {}", String::from_utf8_lossy(&body));
    }
    // The variant itself is served: the refusals are not due to a failing CDN.
    assert_eq!(status(&format!("{cdn}/{variant}")).await, 200);
}

/// Whether an invalidation of all files of an item was created.
async fn is_invalidated(deployed: &Deployed, id: MediaId) -> bool {
    let path = format!("/2020-05-31/distribution/{}/invalidation", deployed.output("DistributionId"));
    let list = get(deployed, &path).await;
    for invalidation in list.split("<Id>").skip(1).filter_map(|rest| rest.split_once("</Id>")) {
        if get(deployed, &format!("{path}/{}", invalidation.0)).await.contains(&format!("<Path>/{id}/*</Path>")) {
            return true;
        }
    }
    false
}

async fn get(deployed: &Deployed, path: &str) -> String {
    let response = deployed.aws.send("cloudfront", Method::GET, path, &[], Vec::new()).await.expect("response");
    assert!(response.status.is_success(), "{path}: {}", response.status);
    String::from_utf8(response.body).expect("text")
}
