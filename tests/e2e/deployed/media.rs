//! Originals, items and derived files.

use domain::media::MediaId;
use serde_json::Value;
use stack::{
    uploads::{UploadFile, Uploaded},
    users::User,
};
use test_support::wait::{wait_for, wait_until};

use super::Deployed;

impl Deployed {
    /// Uploads a file through the API, as apps do.
    pub async fn upload(&self, user: &User, file: &UploadFile<'_>) -> Uploaded {
        file.send(&self.stack, user).await.expect("uploaded")
    }

    /// Uploads a file through the API, and waits until it is processed. Returns its item.
    pub async fn upload_and_process(&self, user: &User, file: &UploadFile<'_>) -> (Uploaded, Value) {
        let sent = self.upload(user, file).await;
        let item = self.wait_until_processed_for(user, sent.id).await;
        (sent, item)
    }

    /// Stores an original in the bucket, without the API. Returns its item's id.
    pub async fn put_original(&self, key: &str, content_type: &str, content: Vec<u8>) -> MediaId {
        let bucket = self.output("OriginalsBucketName");
        self.aws.put_object(bucket, key, content_type, content).await.expect("object stored");
        MediaId::of_key(key)
    }

    /// Deletes an original in the bucket, without the API.
    pub async fn delete_original(&self, key: &str) {
        self.aws.delete_object(self.output("OriginalsBucketName"), key).await.expect("object deleted");
    }

    /// The keys of the originals below `prefix`.
    pub async fn original_keys(&self, prefix: &str) -> Vec<String> {
        self.aws.list_objects(self.output("OriginalsBucketName"), prefix).await.expect("list")
    }

    /// The keys of the files derived from an original.
    pub async fn derived_keys(&self, id: MediaId) -> Vec<String> {
        self.aws.list_objects(self.output("DerivedBucketName"), &format!("{id}/")).await.expect("list")
    }

    /// The item as [`Deployed::reader`] sees it, if they see it.
    pub async fn item(&self, id: MediaId) -> Option<Value> {
        let response = self.get(self.reader().await, &format!("/v1/media/{id}")).await;
        match response.status {
            200 => Some(response.body),
            404 => None,
            _ => panic!("{response:?}"),
        }
    }

    /// The items on all pages of a list. Only an empty list has an empty page.
    pub async fn list_all(&self, user: &User, query: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut path = format!("/v1/media?{query}");
        loop {
            let page = self.get(user, &path).await;
            assert_eq!(page.status, 200, "{path}: {page:?}");
            items.extend_from_slice(page.items());
            let Some(next) = page.body["next"].as_str() else { return items };
            assert!(!page.items().is_empty(), "{path}: an empty page has a cursor");
            path = format!("/v1/media?{query}&cursor={next}");
        }
    }

    /// Waits until the item is `ready` or `failed`.
    pub async fn wait_until_processed(&self, id: MediaId) -> Value {
        wait_for(&format!("an outcome of {id}"), async || self.processed_item(id).await).await
    }

    /// The item, if it is `ready` or `failed`.
    pub async fn processed_item(&self, id: MediaId) -> Option<Value> {
        self.item(id).await.filter(|item| item["state"] != "processing")
    }

    /// Waits until `user` sees the item as `ready` or `failed`.
    pub async fn wait_until_processed_for(&self, user: &User, id: MediaId) -> Value {
        let path = format!("/v1/media/{id}");
        wait_for(&format!("an outcome of {id}"), async || {
            let response = self.get(user, &path).await;
            assert!(matches!(response.status, 200 | 404), "{response:?}");
            Some(response.body).filter(|item| response.status == 200 && item["state"] != "processing")
        })
        .await
    }

    /// Waits until the item is in this state; returns it.
    pub async fn wait_for_state(&self, id: MediaId, state: &str) -> Value {
        wait_for(&format!("{id} to be {state}"), async || self.item(id).await.filter(|item| item["state"] == state))
            .await
    }

    /// Deletes an item through the API, and waits until its owner gets 404.
    pub async fn delete_item(&self, owner: &User, id: MediaId) {
        let path = format!("/v1/media/{id}");
        assert_eq!(self.delete(owner, &path).await.status, 204);
        wait_until("the item to be deleted", async || self.get(owner, &path).await.status == 404).await;
    }

    /// Waits until no derived file is left.
    pub async fn wait_until_no_derived_files(&self, id: MediaId) {
        wait_until("the derived files to be deleted", async || self.derived_keys(id).await.is_empty()).await;
    }
}
