//! An item is reported, taken down and restored.

use domain::media::{Kind, MediaId};
use http::Method;
use serde_json::{Value, json};
use stack::{uploads::UploadFile, users::User};
use test_support::{
    photographs::photograph,
    wait::{wait_for, wait_until},
};

use super::run_ops;
use crate::deployed::Deployed;

fn picture(visibility: &str) -> UploadFile<'_> {
    UploadFile {
        kind: Kind::Photo,
        name: "a.jpg",
        content_type: "image/jpeg",
        bytes: photograph("고양이.jpg"),
        visibility,
        post: Some("story-1"),
    }
}

/// Whether `user` finds the item: alone, in lists, in a batch. Each gives the same answer.
async fn finds(deployed: &Deployed, user: &User, owner: &User, id: MediaId) -> bool {
    let alone = deployed.get(user, &format!("/v1/media/{id}")).await.status == 200;
    let batch = deployed.post(user, "/v1/media/batch", &json!({"ids": [id]})).await;
    assert_eq!(!batch.items().is_empty(), alone, "batch");
    for selection in ["", "&kind=photo", "&post=story-1"] {
        let list = deployed.list_all(user, &format!("owner={}{selection}", owner.id)).await;
        assert_eq!(list.iter().any(|item| item["id"] == json!(id)), alone, "{selection}");
    }
    alone
}

async fn take_down(deployed: &Deployed, id: MediaId, reason: &str) -> Value {
    let id = id.to_string();
    run_ops(deployed, &["media", "take-down", "--id", &id, "--reason", reason, "--apply"]).await
}

#[tokio::test]
async fn item_that_was_taken_down_is_seen_by_its_owner_only_until_it_is_restored() {
    let deployed = Deployed::shared().await;
    let (mina, sora) = (deployed.sign_up("Mina").await, deployed.sign_up("Sora").await);
    let id = deployed.upload(&mina, &picture("public")).await.id;
    let before = deployed.wait_until_processed_for(&mina, id).await;
    let url = before["variants"][0]["url"].as_str().expect("URL").to_owned();
    assert_eq!(deployed.fetch(&url).await.0, 200);
    wait_until("the lists", async || finds(&deployed, &sora, &mina, id).await).await;
    let report = json!({"mediaId": id, "reason": "copyright", "text": "제 사진이에요"});
    assert_eq!(deployed.post(&sora, "/v1/reports", &report).await.status, 201);
    let id_text = id.to_string();
    wait_until("the report", async || {
        let listed = run_ops(&deployed, &["reports", "--id", &id_text]).await;
        listed["items"][0]["reasons"] == json!({"copyright": 1})
    })
    .await;

    // Without --apply, nothing happens.
    let dry_run = run_ops(&deployed, &["media", "take-down", "--id", &id_text, "--reason", "copyright"]).await;
    assert_eq!(
        (&dry_run["applied"], &dry_run["state"], &dry_run["history"]),
        (&json!(false), &json!("ready"), &json!([]))
    );
    let taken = take_down(&deployed, id, "copyright").await;
    assert_eq!((&taken["applied"], &taken["state"]), (&json!(true), &json!("taken_down")), "{taken}");
    assert_eq!(
        (&taken["history"][0]["action"], &taken["history"][0]["reason"]),
        (&json!("take-down"), &json!("copyright"))
    );
    assert!(taken["history"][0]["by"].as_str().is_some_and(|arn| arn.starts_with("arn:aws:")), "{taken}");

    let path = format!("/v1/media/{id}");
    assert_eq!(deployed.get(&sora, &path).await.problem(), (404, "urn:iyagi:problem:not-found"));
    wait_until("the lists to be without it", async || {
        let list = deployed.list_all(&sora, &format!("owner={}", mina.id)).await;
        list.is_empty()
    })
    .await;
    let owned = deployed.get(&mina, &path).await;
    assert_eq!((owned.status, &owned.body["state"]), (200, &json!("taken_down")), "{owned:?}");
    assert_eq!((&owned.body["takenDownFor"], &owned.body["variants"]), (&json!("copyright"), &Value::Null));
    deployed.wait_until_no_derived_files(id).await;
    wait_until("the file to be gone", async || matches!(deployed.fetch(&url).await.0, 403 | 404)).await;
    assert_eq!(deployed.original_keys(&format!("photo/{}/", mina.id)).await.len(), 1, "the original stays");

    // Nothing brings it back: not another visibility, not its events again.
    let visibility = json!({"visibility": "followers"});
    let set = deployed.request(&mina, Method::PUT, &format!("{path}/visibility"), Some(&visibility)).await;
    assert_eq!(set.problem(), (409, "urn:iyagi:problem:conflict"));
    for renew in [
        &["media", "reprocess", "--id", &id_text, "--apply"][..],
        &["media", "reprocess", "--id", &id_text, "--anew", "--apply"],
    ] {
        assert_eq!(run_ops(&deployed, renew).await["pictures"], 1);
        deployed.wait_until_consumed("ThumbnailQueueUrl").await;
        assert_eq!(deployed.derived_keys(id).await, Vec::<String>::new());
        assert_eq!(deployed.get(&mina, &path).await.body["state"], "taken_down");
        assert!(!finds(&deployed, &sora, &mina, id).await);
    }

    let restored = run_ops(&deployed, &["media", "restore", "--id", &id_text, "--apply"]).await;
    assert_eq!(restored["history"][1]["action"], "restore", "{restored}");
    let after = wait_for("the item", async || {
        let item = deployed.get(&mina, &path).await.body;
        (item["state"] == "ready").then_some(item)
    })
    .await;
    assert_eq!((&after["uploadedAt"], &after["takenDownFor"]), (&before["uploadedAt"], &Value::Null));
    wait_until("the lists", async || finds(&deployed, &sora, &mina, id).await).await;
    let new = after["variants"][0]["url"].as_str().expect("URL");
    assert_ne!(new, url);
    assert_eq!(deployed.fetch(new).await.0, 200);
    let closed = run_ops(&deployed, &["reports", "close", "--id", &id_text, "--apply"]).await;
    assert_eq!(closed["reports"], 1, "{closed}");
}

#[tokio::test]
async fn deleted_item_stays_taken_down_for_what_is_stored_under_its_key() {
    let deployed = Deployed::shared().await;
    let (mina, sora) = (deployed.sign_up("Mina").await, deployed.sign_up("Sora").await);
    let id = deployed.upload(&mina, &picture("public")).await.id;
    deployed.wait_until_processed_for(&mina, id).await;
    take_down(&deployed, id, "other").await;
    deployed.wait_until_no_derived_files(id).await;
    let key = deployed.original_keys(&format!("photo/{}/", mina.id)).await.swap_remove(0);
    deployed.delete_item(&mina, id).await;
    assert_eq!(deployed.put_original(&key, "image/jpeg", photograph("고양이.jpg")).await, id);
    let path = format!("/v1/media/{id}");
    wait_until("the item", async || deployed.get(&mina, &path).await.body["state"] == "taken_down").await;
    deployed.wait_until_consumed("ThumbnailQueueUrl").await;
    assert_eq!(deployed.derived_keys(id).await, Vec::<String>::new());
    assert!(!finds(&deployed, &sora, &mina, id).await);
}
