//! Lists, cursors, batches, fields and conditional requests.

use domain::media::{Kind, MediaId};
use http::Method;
use serde_json::{Value, json};
use stack::uploads::UploadFile;
use test_support::photographs::photograph;

use super::{ids, upload_small};
use crate::deployed::Deployed;

#[tokio::test]
async fn list_pages_are_complete_in_both_orders() {
    let deployed = Deployed::shared().await;
    let (mina, sora) = (deployed.sign_up("Mina").await, deployed.sign_up("Sora").await);
    // Long runs of items that other users may not see.
    let visibilities =
        ["private", "private", "public", "private", "followers", "private", "public", "private", "public", "private"];
    let all = upload_small(&deployed, &mina, &visibilities).await;
    let public: Vec<_> =
        all.iter().zip(visibilities).filter(|(_, visibility)| *visibility == "public").map(|(id, _)| *id).collect();
    let reversed = |ids: &[MediaId]| ids.iter().rev().copied().collect::<Vec<_>>();
    for limit in [1, 2, 3, 100] {
        let own = deployed.list_all(&mina, &format!("limit={limit}&order=oldest")).await;
        assert_eq!(ids(&own), all, "{limit}");
        let own = deployed.list_all(&mina, &format!("limit={limit}")).await;
        assert_eq!(ids(&own), reversed(&all), "{limit}");
        let query = format!("owner={}&limit={limit}", mina.id);
        let others = deployed.list_all(&sora, &query).await;
        assert_eq!(ids(&others), reversed(&public), "{limit}");
        let others = deployed.list_all(&sora, &format!("{query}&order=oldest&kind=audio")).await;
        assert_eq!(ids(&others), public, "{limit}");
    }
    assert!(deployed.list_all(&sora, "").await.is_empty());
    assert!(deployed.list_all(&mina, "kind=photo").await.is_empty());
}

#[tokio::test]
async fn cursor_of_other_caller_or_query_returns_400() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await);
    upload_small(&deployed, &mina, &["public", "public", "public"]).await;
    let query = format!("owner={}&limit=1", mina.id);
    let page = deployed.get(&mina, &format!("/v1/media?{query}")).await;
    let next = page.body["next"].as_str().expect("cursor").to_owned();
    let mut forged = next.clone().into_bytes();
    forged[10] = if forged[10] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("text");
    // The first byte is the version.
    let version = format!("Aw{}", &next[2..]);
    for (user, query, cursor) in [
        (&jun, query.clone(), &next),
        (&mina, format!("owner={}&limit=1", jun.id), &next),
        (&mina, format!("{query}&order=oldest"), &next),
        (&mina, format!("{query}&kind=audio"), &next),
        (&mina, query.clone(), &forged),
        (&mina, query.clone(), &version),
        (&mina, query.clone(), &"x".to_owned()),
    ] {
        let response = deployed.get(user, &format!("/v1/media?{query}&cursor={cursor}")).await;
        assert_eq!(response.problem(), (400, "urn:iyagi:problem:invalid-cursor"), "{query}");
    }
    // Another page size or other fields continue the same list.
    let rest = deployed.get(&mina, &format!("/v1/media?owner={}&limit=5&fields=state&cursor={next}", mina.id)).await;
    assert_eq!(rest.items().len(), 2, "{rest:?}");
}

#[tokio::test]
async fn matching_etag_returns_304_for_the_same_caller() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await);
    let id = upload_small(&deployed, &mina, &["public"]).await[0];
    for path in [format!("/v1/media/{id}"), format!("/v1/media?owner={}", mina.id)] {
        let read_twice = async || {
            let etag = deployed.get(&jun, &path).await.etag.expect("ETag");
            let headers = [("if-none-match", etag.as_str())];
            let again = deployed.request_with_headers(&jun, Method::GET, &path, &headers, None).await;
            (etag, again)
        };
        let (mut etag, mut again) = read_twice().await;
        if again.status == 200 {
            // Links, and with them the tag, change every five minutes: perhaps between the two.
            (etag, again) = read_twice().await;
        }
        assert_eq!((again.status, again.body, again.etag.as_ref()), (304, Value::Null, Some(&etag)), "{path}");
        let headers = [("if-none-match", etag.as_str())];
        let owner = deployed.request_with_headers(&mina, Method::GET, &path, &headers, None).await;
        assert_eq!(owner.status, 200, "the owner sees more fields: {path}");
    }
}

#[tokio::test]
async fn fields_parameter_selects_fields_and_unknown_names_return_400() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let file = UploadFile {
        kind: Kind::Photo,
        name: "a.jpg",
        content_type: "image/jpeg",
        bytes: photograph("고양이.jpg"),
        visibility: "public",
        post: None,
    };
    let id = deployed.upload_and_process(&mina, &file).await.0.id;
    let get = async |fields: &str| deployed.get(&mina, &format!("/v1/media/{id}?fields={fields}")).await;
    let whole = deployed.get(&mina, &format!("/v1/media/{id}")).await.body;
    // Required fields are always there.
    let mut required = json!({});
    for field in ["id", "kind", "owner", "uploadedAt", "bytes", "visibility", "state"] {
        required[field] = whole[field].clone();
    }
    assert_eq!(get("state,kind").await.body, required);
    let mut with_width = required.clone();
    with_width["width"] = json!(451);
    assert_eq!(get("state,width").await.body, with_width);
    assert!(get("").await.body["variants"].is_array(), "an empty list is none");
    assert_eq!(get("variants").await.body["variants"].as_array().map(Vec::len), Some(4));
    for fields in ["key", "position", "state,,kind"] {
        assert_eq!(get(fields).await.status, 400, "{fields}");
    }
    let list = deployed.list_all(&mina, "fields=bytes").await;
    assert_eq!(list, [required]);
}

#[tokio::test]
async fn batch_keeps_order_and_invalid_batch_returns_400() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let items = upload_small(&deployed, &mina, &["public", "public"]).await;
    let (first, second) = (items[0], items[1]);
    let unknown = MediaId::of_key("photo/unknown/nothing");
    let post = async |body: Value| deployed.post(&mina, "/v1/media/batch", &body).await;
    let response = post(json!({"ids": [second, unknown, first, second]})).await;
    assert_eq!(ids(response.items()), [second, first]);
    let many: Vec<_> = (0..101).map(|number| MediaId::of_key(&format!("photo/unknown/{number}"))).collect();
    assert_eq!(post(json!({"ids": many[..100]})).await.body, json!({"items": []}));
    for body in [
        json!({"ids": many}),
        json!({"ids": []}),
        json!({"ids": ["../x"]}),
        json!({"ids": [first], "owner": "x"}),
        json!({"ids": "x"}),
        json!([]),
    ] {
        let response = post(body.clone()).await;
        assert_eq!(response.problem(), (400, "urn:iyagi:problem:invalid-request"), "{body}");
    }
}
