//! Access to items by role and visibility, and access without a valid token.

use std::collections::BTreeMap;

use domain::media::MediaId;
use http::Method;
use neptune::Commit;
use serde_json::json;
use stack::users::User;
use test_support::wait::wait_until;

use super::{ids, sees, small_file, upload_all, upload_small};
use crate::{
    access_table::{AccessRule, VISIBILITIES, access_rules},
    commits::{add_edge, add_people, edge, remove_edge},
    deployed::Deployed,
};

#[tokio::test]
async fn every_role_gets_what_the_access_table_says() {
    let deployed = Deployed::shared().await;
    let (owner, follower, blocked, stranger) = (
        deployed.sign_up("Mina").await,
        deployed.sign_up("Jun").await,
        deployed.sign_up("Haneul").await,
        deployed.sign_up("Sora").await,
    );
    let files = VISIBILITIES.map(|visibility| small_file(visibility, Some("story-1")));
    let sent = upload_all(&deployed, &owner, &files).await;
    let items: BTreeMap<_, _> = VISIBILITIES.into_iter().zip(sent.into_iter().map(|sent| sent.id)).collect();
    deployed.commit(&add_people(Commit::new(), [&owner, &follower, &blocked, &stranger])).await;
    let followers = [&follower, &blocked];
    let follow = |commit: Commit, user: &&User| add_edge(commit, "follows", &user.id, &owner.id);
    deployed.commit(&followers.iter().fold(Commit::new(), follow)).await;
    for user in followers {
        let what = format!("{} to be a follower", user.name);
        wait_until(&what, async || sees(&deployed, user, items["followers"]).await).await;
    }
    deployed.commit(&edge("blocks", &owner.id, &blocked.id)).await;
    wait_until("the block", async || !sees(&deployed, &blocked, items["followers"]).await).await;

    for AccessRule { role, visibility, get, is_listed, is_in_batch, delete } in &access_rules() {
        let user = match role.as_str() {
            "owner" => &owner,
            "follower" => &follower,
            "blocked follower" => &blocked,
            "stranger" => &stranger,
            other => panic!("unknown role {other}"),
        };
        let (id, row) = (items[visibility.as_str()], format!("{role}, {visibility}"));
        let path = format!("/v1/media/{id}");
        let one = deployed.get(user, &path).await;
        assert_eq!(one.status, *get, "{row}");
        // Only the owner gets the file name.
        assert_eq!(one.body["fileName"].is_string(), role == "owner", "{row}");
        // Who sees an item may report it.
        let report = deployed.post(user, "/v1/reports", &json!({"mediaId": id, "reason": "spam"})).await;
        assert_eq!(report.status, if *get == 200 { 201 } else { *get }, "{row}, report");
        let all_ids = json!({"ids": items.values().collect::<Vec<_>>()});
        let batch = deployed.post(user, "/v1/media/batch", &all_ids).await;
        assert_eq!(ids(batch.items()).contains(&id), *is_in_batch, "{row}, batch");
        for selection in ["", "&kind=audio", "&post=story-1"] {
            let query = format!("owner={}&order=oldest&limit=1{selection}", owner.id);
            let list = deployed.list_all(user, &query).await;
            assert_eq!(ids(&list).contains(&id), *is_listed, "{row}, {query}");
            assert!(list.iter().all(|item| item["fileName"].is_string() == (role == "owner")), "{list:?}");
        }
        // The owner changes nothing.
        let body = json!({"visibility": if role == "owner" { visibility.as_str() } else { "public" }});
        let set = deployed.request(user, Method::PUT, &format!("{path}/visibility"), Some(&body)).await;
        assert_eq!(set.status, *delete, "{row}, visibility");
        assert_eq!(deployed.delete(user, &path).await.status, *delete, "{row}");
    }
}

#[tokio::test]
async fn unfollowed_owner_shows_only_public_items() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await);
    let items = upload_small(&deployed, &mina, &["followers", "public"]).await;
    deployed.commit(&add_people(Commit::new(), [&mina, &jun])).await;
    deployed.commit(&edge("follows", &jun.id, &mina.id)).await;
    wait_until("Jun to be a follower", async || sees(&deployed, &jun, items[0]).await).await;
    deployed.commit(&remove_edge("follows", &jun.id, &mina.id)).await;
    wait_until("Jun to be no follower", async || !sees(&deployed, &jun, items[0]).await).await;
    assert!(sees(&deployed, &jun, items[1]).await);
}

#[tokio::test]
async fn delete_by_owner_removes_item_and_by_others_returns_404() {
    let deployed = Deployed::shared().await;
    let (mina, jun) = (deployed.sign_up("Mina").await, deployed.sign_up("Jun").await);
    for id in upload_small(&deployed, &mina, &["public", "private"]).await {
        let path = format!("/v1/media/{id}");
        assert_eq!(deployed.delete(&jun, &path).await.problem(), (404, "urn:iyagi:problem:not-found"));
        deployed.delete_item(&mina, id).await;
        assert!(!sees(&deployed, &mina, id).await);
        assert_eq!(deployed.delete(&mina, &path).await.status, 404);
    }
    wait_until("an empty list", async || deployed.list_all(&mina, "").await.is_empty()).await;
    assert!(deployed.original_keys(&format!("audio/{}/", mina.id)).await.is_empty());
}

#[tokio::test]
async fn request_without_access_token_is_refused_on_every_route() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let unknown = MediaId::of_key("photo/unknown/nothing");
    let routes = [
        (Method::GET, format!("/v1/media/{unknown}")),
        (Method::DELETE, format!("/v1/media/{unknown}")),
        (Method::PUT, format!("/v1/media/{unknown}/visibility")),
        (Method::GET, "/v1/media".to_owned()),
        (Method::POST, "/v1/media/batch".to_owned()),
        (Method::POST, "/v1/reports".to_owned()),
        (Method::POST, "/v1/uploads".to_owned()),
        (Method::POST, format!("/v1/uploads/{unknown}/parts")),
        (Method::POST, format!("/v1/uploads/{unknown}/complete")),
    ];
    let mut forged = mina.access_token.clone();
    forged.pop();
    let tokens = BTreeMap::from([("no token", ""), ("an ID token", &mina.id_token), ("a forged token", &forged)]);
    for (method, path) in &routes {
        for (what, token) in &tokens {
            let user = User { access_token: (*token).to_owned(), ..mina.clone() };
            let response = deployed.request(&user, method.clone(), path, Some(&json!({}))).await;
            assert!(matches!(response.status, 401 | 403), "{what}, {method} {path}: {response:?}");
        }
        // A valid token reaches the function.
        let response = deployed.request(&mina, method.clone(), path, Some(&json!({}))).await;
        assert!(!matches!(response.status, 401 | 403), "{method} {path}: {response:?}");
    }
}
