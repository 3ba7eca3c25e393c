//! Uploads in parts that are interrupted.

use domain::{media::Kind, upload::SMALL_PART_BYTES};
use serde_json::{Value, json};
use stack::uploads::{UploadFile, checksum};

use super::{photo, put_status, sound};
use crate::deployed::Deployed;

/// Numbers of the parts that have landed.
fn landed(state: &Value) -> Vec<u64> {
    let parts = state["landed"].as_array().expect("parts").iter();
    parts.map(|part| part["number"].as_u64().expect("a number")).collect()
}

#[tokio::test]
async fn interrupted_upload_of_a_small_file_is_resumed_with_the_missing_parts() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await);
    let part_size = usize::try_from(SMALL_PART_BYTES).expect("size");
    let bytes: Vec<u8> = (0..2 * part_size + 9).map(|index| (index / 1_000) as u8).collect();
    let file = UploadFile { visibility: "private", ..sound(bytes.clone()) };
    let mut declaration = file.request_body();
    declaration["inParts"] = true.into();
    let upload = deployed.post(&mina, "/v1/uploads", &declaration).await.body;
    assert_eq!((&upload["way"], &upload["parts"]), (&json!("parts"), &json!(3)), "{upload}");
    let id = upload["id"].as_str().expect("id");
    let state_path = format!("/v1/uploads/{}", upload["handle"].as_str().expect("handle"));

    let chunks: Vec<_> = bytes.chunks(part_size).collect();
    let sign = async |numbers: &[usize]| {
        let part = |number: &usize| json!({"number": number, "checksum": checksum(chunks[number - 1])});
        let body = json!({"handle": upload["handle"], "parts": numbers.iter().map(part).collect::<Vec<_>>()});
        let signed = deployed.post(&mina, &format!("/v1/uploads/{id}/parts"), &body).await;
        signed.body["parts"].as_array().unwrap_or_else(|| panic!("{:?}", signed.body)).clone()
    };
    assert_eq!(landed(&deployed.get(&mina, &state_path).await.body), Vec::<u64>::new());
    for (part, number) in sign(&[1, 3]).await.iter().zip([1, 3]) {
        assert_eq!(put_status(part, chunks[number - 1]).await, 200);
    }
    // The app restarts: only the handle is left.
    let state = deployed.get(&mina, &state_path).await.body;
    assert_eq!((landed(&state), &state["partSize"]), (vec![1, 3], &json!(SMALL_PART_BYTES)), "{state}");
    assert_eq!(state["landed"][0]["checksum"], checksum(chunks[0]));
    assert_eq!(deployed.get(&jun, &state_path).await.problem(), (400, "urn:iyagi:problem:invalid-request"));
    assert_eq!(put_status(&sign(&[2]).await[0], chunks[1]).await, 200);
    let complete = json!({"handle": upload["handle"]});
    let done = deployed.post(&mina, &format!("/v1/uploads/{id}/complete"), &complete).await;
    assert_eq!((done.status, &done.body["mediaId"]), (200, &upload["mediaId"]), "{done:?}");
    assert_eq!(deployed.get(&mina, &state_path).await.body["way"], "done");
    let item = upload["mediaId"].as_str().and_then(|id| id.parse().ok()).expect("id");
    let item = deployed.wait_until_processed_for(&mina, item).await;
    assert_eq!(item["bytes"], json!(bytes.len()));
}

#[tokio::test]
async fn picture_can_be_sent_in_parts() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    for kind in [Kind::Avatar, Kind::Photo] {
        let file = UploadFile { kind, ..photo("a.jpg") };
        let mut declaration = file.request_body();
        declaration["inParts"] = true.into();
        let upload = deployed.post(&mina, "/v1/uploads", &declaration).await.body;
        let id = upload["id"].as_str().expect("id");
        let part = json!({"handle": upload["handle"], "parts": [{"number": 1, "checksum": checksum(&file.bytes)}]});
        let signed = deployed.post(&mina, &format!("/v1/uploads/{id}/parts"), &part).await.body;
        assert_eq!(put_status(&signed["parts"][0], &file.bytes).await, 200);
        let state = format!("/v1/uploads/{}", upload["handle"].as_str().expect("handle"));
        assert_eq!(landed(&deployed.get(&mina, &state).await.body), [1]);
        let complete = json!({"handle": upload["handle"]});
        let done = deployed.post(&mina, &format!("/v1/uploads/{id}/complete"), &complete).await;
        assert_eq!((done.status, &done.body["way"]), (200, &json!("done")), "{done:?}");
        let item = done.body["mediaId"].as_str().and_then(|id| id.parse().ok()).expect("id");
        assert_eq!(deployed.wait_until_processed_for(&mina, item).await["state"], "ready");
    }
}
