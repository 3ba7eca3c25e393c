//! Files of stories, which follow the visibility of their story.
//!
//! Functions: upload-api, thumbnailer, metadata-writer, media-api, stream-poller, push-fanout.

use domain::media::{Kind, MediaId};
use http::Method;
use neptune::Commit;
use serde_json::{Value, json};
use stack::{uploads::UploadFile, users::User};
use test_support::{
    photographs::photograph,
    queues::{send_message, take_messages},
    wait::{wait_for, wait_until},
};
use uuid::Uuid;

use crate::{
    commits::{add_people, add_story},
    deployed::Deployed,
};

async fn upload(deployed: &Deployed, owner: &User, story: &str, visibility: &str) -> MediaId {
    let (bytes, post) = (photograph("고양이.jpg"), Some(story));
    let file = UploadFile { kind: Kind::Photo, name: "a.jpg", content_type: "image/jpeg", bytes, visibility, post };
    deployed.upload(owner, &file).await.id
}

/// Waits until the item is ready with this visibility; returns the URL of its first file for `reader`.
async fn wait_for_visibility(deployed: &Deployed, reader: &User, id: MediaId, visibility: &str) -> String {
    let path = format!("/v1/media/{id}");
    let item: Value = wait_for(&format!("{id} to be {visibility}"), async || {
        let item = deployed.get(reader, &path).await.body;
        (item["state"] == "ready" && item["visibility"] == visibility).then_some(item)
    })
    .await;
    item["variants"][0]["url"].as_str().expect("URL").to_owned()
}

async fn set(deployed: &Deployed, owner: &User, id: MediaId, visibility: &str) -> u16 {
    let (path, body) = (format!("/v1/media/{id}/visibility"), json!({"visibility": visibility}));
    deployed.request(owner, Method::PUT, &path, Some(&body)).await.status
}

#[tokio::test]
async fn files_of_a_story_follow_its_visibility_and_those_of_others_do_not() {
    let deployed = Deployed::shared().await;
    let (mina, jun, sora) =
        (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await, deployed.sign_up("Sora").await);
    let story = format!("story-{}", Uuid::new_v4());
    let publish = add_story(add_people(Commit::new(), [&mina, &jun]), &mina.id, &story, "첫눈");
    deployed.commit(&publish).await;
    let id = upload(&deployed, &mina, &story, "public").await;
    // Jun names a story of another author.
    let foreign = upload(&deployed, &jun, &story, "public").await;
    let url = wait_for_visibility(&deployed, &sora, id, "public").await;
    wait_for_visibility(&deployed, &sora, foreign, "public").await;
    assert_eq!(deployed.fetch(&url).await.0, 200);

    // The graph has said nothing yet, so that the owner decides.
    assert_eq!(set(&deployed, &mina, id, "public").await, 204);
    deployed.commit(&Commit::new().set(&story, "visibility", "private")).await;
    let path = format!("/v1/media/{id}");
    wait_until("the file to be hidden", async || deployed.get(&sora, &path).await.status == 404).await;
    wait_until("its old files to be gone", async || deployed.fetch(&url).await.0 == 403).await;
    let hidden = wait_for_visibility(&deployed, &mina, id, "private").await;
    assert_eq!(deployed.fetch(&hidden).await.0, 200, "the owner's signed URL");
    assert_eq!(set(&deployed, &mina, id, "public").await, 409);

    // A file that is uploaded later has the story's visibility, too.
    let later = upload(&deployed, &mina, &story, "public").await;
    wait_for_visibility(&deployed, &mina, later, "private").await;
    assert_eq!(deployed.get(&sora, &format!("/v1/media/{later}")).await.status, 404);

    deployed.commit(&Commit::new().set(&story, "visibility", "public")).await;
    for id in [id, later] {
        let shown = wait_for_visibility(&deployed, &sora, id, "public").await;
        assert_eq!(deployed.fetch(&shown).await.0, 200);
        assert_ne!(shown, url, "a new generation");
    }
    // Also after every change was delivered again.
    deployed.commit(&Commit::new().set(&story, "visibility", "followers")).await;
    wait_for_visibility(&deployed, &mina, id, "followers").await;
    deployed.replay_stream().await;
    deployed.wait_until_consumed("PushQueueUrl").await;
    wait_until("the files to be looked at", async || deployed.is_queue_empty("StoryFilesQueueUrl").await).await;
    wait_for_visibility(&deployed, &mina, id, "followers").await;

    let foreign_path = format!("/v1/media/{foreign}");
    assert_eq!(deployed.get(&sora, &foreign_path).await.body["visibility"], "public");
    assert_eq!(set(&deployed, &jun, foreign, "private").await, 204);

    // A message that names nothing is dead-lettered.
    let poison = format!("no story {}", Uuid::new_v4());
    send_message(&deployed.aws, deployed.output("StoryFilesQueueUrl"), &poison).await;
    wait_until("the dead letter", async || {
        let queue = deployed.output("StoryFilesDeadLettersUrl");
        !take_messages(&deployed.aws, queue, |body| body == poison).await.is_empty()
    })
    .await;
}
