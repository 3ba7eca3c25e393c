//! Changed visibility: of the item, and of its files.

use domain::media::Kind;
use http::Method;
use serde_json::{Value, json};
use stack::uploads::UploadFile;
use test_support::{photographs::photograph, wait::wait_until, wav::voice};

use super::sees;
use crate::deployed::Deployed;

#[tokio::test]
async fn hidden_photo_and_its_old_files_are_gone_for_others_and_come_back_under_new_urls() {
    let deployed = Deployed::shared().await;
    check(&deployed, (Kind::Photo, "a.jpg", "image/jpeg"), photograph("고양이.jpg")).await;
}

#[tokio::test]
async fn hidden_avatar_and_recording_are_gone_for_others_and_come_back_under_new_urls() {
    let deployed = Deployed::shared().await;
    check(&deployed, (Kind::Avatar, "a.jpg", "image/jpeg"), photograph("고양이.jpg")).await;
    check(&deployed, (Kind::Audio, "a.wav", "audio/wav"), voice(1.0)).await;
}

async fn check(deployed: &Deployed, (kind, name, content_type): (Kind, &str, &str), bytes: Vec<u8>) {
    let (mina, sora) = (deployed.sign_up("Mina").await, deployed.sign_up("Sora").await);
    let file = UploadFile { kind, name, content_type, bytes, visibility: "public", post: None };
    let id = deployed.upload(&mina, &file).await.id;
    let before = deployed.wait_until_processed_for(&mina, id).await;
    let files = if kind == Kind::Audio { "renditions" } else { "variants" };
    let url = |item: &Value| item[files][0]["url"].as_str().expect("URL").to_owned();
    assert_eq!(deployed.fetch(&url(&before)).await.0, 200);
    let set = async |visibility: &str| {
        let path = format!("/v1/media/{id}/visibility");
        deployed.request(&mina, Method::PUT, &path, Some(&json!({"visibility": visibility}))).await.status
    };

    assert_eq!(set("private").await, 204);
    wait_until("the item to be hidden", async || !sees(deployed, &sora, id).await).await;
    wait_until("the old files to be gone", async || deployed.fetch(&url(&before)).await.0 == 403).await;
    let hidden = deployed.wait_until_processed_for(&mina, id).await;
    assert_eq!((&hidden["state"], &hidden["visibility"]), (&json!("ready"), &json!("private")));
    assert_eq!(deployed.fetch(&url(&hidden)).await.0, 200, "the owner's signed URL");
    assert!(!sees(deployed, &sora, id).await);

    assert_eq!(set("public").await, 204);
    wait_until("the item to be shown", async || sees(deployed, &sora, id).await).await;
    let shown = deployed.wait_until_processed_for(&sora, id).await;
    assert_eq!(shown["state"], "ready");
    assert_ne!(url(&shown), url(&before), "a new generation");
}
