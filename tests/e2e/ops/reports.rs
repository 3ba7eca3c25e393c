//! Reports of people, from the app to the operator.

use domain::media::{Kind, MediaId};
use serde_json::{Value, json};
use stack::uploads::UploadFile;
use test_support::wait::wait_for;

use super::run_ops;
use crate::deployed::Deployed;

/// Reports of one person a day: the default of `ReportsPerDay`.
const PER_DAY: usize = 50;

/// The open reports of an item, as the tool lists them.
async fn listed(deployed: &Deployed, id: MediaId, options: &[&str]) -> Option<Value> {
    let id = id.to_string();
    let listed = run_ops(deployed, &[&["reports", "--id", &id], options].concat()).await;
    listed["items"].as_array().expect("items").first().cloned()
}

#[tokio::test]
async fn reported_item_is_listed_until_its_reports_are_closed() {
    let deployed = Deployed::shared().await;
    let (mina, jun, sora) =
        (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await, deployed.sign_up("Sora").await);
    let file = UploadFile {
        kind: Kind::Audio,
        name: "a.m4a",
        content_type: "audio/mp4",
        bytes: vec![1; 100],
        visibility: "public",
        post: None,
    };
    let id = deployed.upload_and_process(&mina, &file).await.0.id;
    let report = async |user, reason: &str, text: &str| {
        let body = json!({"mediaId": id, "reason": reason, "text": text});
        let response = deployed.post(user, "/v1/reports", &body).await;
        assert_eq!(response.status, 201, "{response:?}");
        response.body["id"].as_str().expect("id").to_owned()
    };
    let first = report(&jun, "spam", "첫째").await;
    assert_eq!(report(&jun, "hate", "둘째").await, first, "one report per person and item");
    assert_ne!(report(&sora, "spam", "셋째").await, first);

    let item =
        wait_for("both reports", async || listed(&deployed, id, &[]).await.filter(|item| item["reports"] == 2)).await;
    assert_eq!((&item["id"], &item["reasons"]), (&json!(id), &json!({"spam": 1, "hate": 1})));
    assert!(!item.to_string().contains("째") && !item.to_string().contains(&jun.id), "{item}");
    let item = listed(&deployed, id, &["--texts"]).await.expect("the item");
    assert!(
        item["texts"].as_array().is_some_and(|texts| texts.len() == 2 && !texts.contains(&json!("첫째"))),
        "{item}"
    );

    let id_text = id.to_string();
    let close = ["reports", "close", "--id", &id_text];
    let dry_run = run_ops(&deployed, &close).await;
    assert_eq!((&dry_run["applied"], &dry_run["reports"]), (&json!(false), &json!(2)), "{dry_run}");
    let closed = run_ops(&deployed, &[&close[..], &["--apply"]].concat()).await;
    assert_eq!((&closed["applied"], &closed["reports"]), (&json!(true), &json!(2)), "{closed}");
    assert_eq!(listed(&deployed, id, &[]).await, None);

    // A person who reports a closed one again opens it.
    report(&sora, "violence", "넷째").await;
    let item = wait_for("the report", async || listed(&deployed, id, &[]).await).await;
    assert_eq!((&item["reports"], &item["reasons"]), (&json!(1), &json!({"violence": 1})));

    // Sora has sent two.
    let body = json!({"mediaId": id, "reason": "other"});
    for _ in 2..PER_DAY {
        assert_eq!(deployed.post(&sora, "/v1/reports", &body).await.status, 201);
    }
    let refused = deployed.post(&sora, "/v1/reports", &body).await;
    assert_eq!(refused.problem(), (429, "urn:iyagi:problem:too-many-requests"));
    assert!(refused.retry_after.is_some_and(|seconds| (1..=86_400).contains(&seconds)), "{refused:?}");
    assert_eq!(deployed.post(&jun, "/v1/reports", &body).await.status, 201);
}
