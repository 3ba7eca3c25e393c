//! Deleted and overwritten originals.

use domain::media::MediaId;
use serde_json::Value;
use test_support::{
    photographs::{photograph, photograph_of_type},
    queues::send_message,
    s3_events::s3_notification,
    wait::{wait_for, wait_until},
};

use super::variants;
use crate::deployed::Deployed;

fn first_url(item: &Value) -> &str {
    variants(item)[0]["url"].as_str().expect("URL")
}

/// Waits until the API has no item and the bucket no derived files.
async fn wait_until_deleted(deployed: &Deployed, id: MediaId) {
    wait_until(&format!("{id} to be deleted"), async || {
        deployed.item(id).await.is_none() && deployed.derived_keys(id).await.is_empty()
    })
    .await;
}

/// Waits until the item is deleted and no message is left that could restore it.
async fn wait_until_deleted_for_good(deployed: &Deployed, id: MediaId) {
    wait_until_deleted(deployed, id).await;
    for queue in ["ThumbnailQueueUrl", "MetadataQueueUrl", "PictureReportsQueueUrl"] {
        wait_until(&format!("{queue} to be empty"), async || deployed.is_queue_empty(queue).await).await;
    }
    wait_until_deleted(deployed, id).await;
}

#[tokio::test]
async fn deleted_original_leaves_no_item_and_no_files() {
    let deployed = Deployed::shared().await;
    let key = "photo/deleted/a.jpg";
    let id = deployed.put_original(key, "image/jpeg", photograph("고양이.jpg")).await;
    let item = deployed.wait_until_processed(id).await;
    deployed.delete_original(key).await;
    wait_until_deleted(&deployed, id).await;
    // S3 returns 403 for a missing object to callers without permission to list.
    assert_eq!(deployed.fetch(first_url(&item)).await.0, 403);
    assert!(deployed.list_all(deployed.reader().await, "owner=deleted").await.is_empty());
}

#[tokio::test]
async fn original_deleted_before_processing_stays_deleted() {
    let deployed = Deployed::shared().await;
    for round in 0..10 {
        let key = format!("photo/hasty/{round}.jpg");
        let id = deployed.put_original(&key, "image/jpeg", photograph("고양이.jpg")).await;
        deployed.delete_original(&key).await;
        wait_until_deleted_for_good(&deployed, id).await;
    }
}

#[tokio::test]
async fn late_and_duplicate_events_do_not_restore_deleted_item() {
    let deployed = Deployed::shared().await;
    let key = "photo/late/a.jpg";
    let content = photograph("고양이.jpg");
    let id = deployed.put_original(key, "image/jpeg", content.clone()).await;
    deployed.wait_until_processed(id).await;
    let etag = deployed.aws.etag(deployed.output("OriginalsBucketName"), key).await.expect("ETag");
    deployed.delete_original(key).await;
    wait_until_deleted(&deployed, id).await;
    // The emulator's own sequencers are higher.
    let late = s3_notification("ObjectCreated:Put", key, "0000000000000001", content.len(), &etag);
    for queue in ["ThumbnailQueueUrl", "MetadataQueueUrl"] {
        for _ in 0..3 {
            send_message(&deployed.aws, deployed.output(queue), &late).await;
        }
    }
    wait_until_deleted_for_good(&deployed, id).await;
}

#[tokio::test]
async fn overwritten_original_replaces_all_variants() {
    let deployed = Deployed::shared().await;
    let key = "photo/overwritten/a";
    let id = deployed.put_original(key, "image/jpeg", photograph_of_type("image/jpeg")).await;
    let before = deployed.wait_until_processed(id).await;
    deployed.put_original(key, "image/png", photograph_of_type("image/png")).await;
    let after = wait_for("the second picture", async || {
        deployed.item(id).await.filter(|item| item["state"] == "ready" && item["placeholder"] != before["placeholder"])
    })
    .await;
    wait_until("the first picture's variants to be deleted", async || {
        deployed.derived_keys(id).await.len() == variants(&after).len()
    })
    .await;
    for variant in variants(&after) {
        assert_eq!(deployed.fetch(variant["url"].as_str().expect("URL")).await.0, 200);
    }
    assert_eq!(deployed.fetch(first_url(&before)).await.0, 403);

    // Invalid content in its place leaves no variant of either picture.
    deployed.put_original(key, "image/jpeg", b"no picture".to_vec()).await;
    deployed.wait_for_state(id, "failed").await;
    assert!(deployed.derived_keys(id).await.is_empty());
}
