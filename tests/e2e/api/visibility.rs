//! Changed visibility: of the item, and of its files.

use http::Method;
use serde_json::{Value, json};
use stack::uploads::UploadFile;
use test_support::{photographs::photograph, wait::wait_until};

use super::sees;
use crate::deployed::Deployed;

#[tokio::test]
async fn hidden_item_and_its_old_files_are_gone_for_others_and_come_back_under_new_urls() {
    let deployed = Deployed::shared().await;
    let (mina, sora) = (deployed.sign_up("Mina").await, deployed.sign_up("Sora").await);
    let file = UploadFile {
        kind: domain::media::Kind::Photo,
        name: "a.jpg",
        content_type: "image/jpeg",
        bytes: photograph("고양이.jpg"),
        visibility: "public",
        post: None,
    };
    let id = deployed.upload(&mina, &file).await.id;
    let before = deployed.wait_until_processed_for(&mina, id).await;
    let url = |item: &Value| item["variants"][0]["url"].as_str().expect("URL").to_owned();
    assert_eq!(deployed.fetch(&url(&before)).await.0, 200);
    let set = async |visibility: &str| {
        let path = format!("/v1/media/{id}/visibility");
        deployed.request(&mina, Method::PUT, &path, Some(&json!({"visibility": visibility}))).await.status
    };

    assert_eq!(set("private").await, 204);
    wait_until("the item to be hidden", async || !sees(&deployed, &sora, id).await).await;
    wait_until("the old files to be gone", async || deployed.fetch(&url(&before)).await.0 == 403).await;
    let hidden = deployed.wait_until_processed_for(&mina, id).await;
    assert_eq!((&hidden["state"], &hidden["visibility"]), (&json!("ready"), &json!("private")));
    assert_eq!(deployed.fetch(&url(&hidden)).await.0, 200, "the owner's signed URL");
    assert!(!sees(&deployed, &sora, id).await);

    assert_eq!(set("public").await, 204);
    wait_until("the item to be shown", async || sees(&deployed, &sora, id).await).await;
    let shown = deployed.wait_until_processed_for(&sora, id).await;
    assert_eq!(shown["state"], "ready");
    assert_ne!(url(&shown), url(&before), "a new generation");
}
