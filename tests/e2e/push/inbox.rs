//! The inbox: what users were notified of, read through the API.

use http::Method;
use serde_json::{Value, json};

use super::scenario::{Person, PushScenario, follow, story};
use crate::commits::{author_edge_id, edge, edge_id};

/// The person's notifications, and how many are unread.
pub async fn inbox(push: &PushScenario, person: &Person) -> (Vec<Value>, u64) {
    let page = push.request(person, Method::GET, "/v1/notifications?limit=50", None).await;
    (page["items"].as_array().expect("items").clone(), page["unread"].as_u64().expect("a number"))
}

/// Names of a notification's actors.
fn actors(item: &Value) -> Vec<&str> {
    item["actors"].as_array().expect("actors").iter().map(|actor| actor["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn inbox_collapses_likes_is_read_once_and_forgets_what_is_taken_back() {
    let push = PushScenario::start().await;
    let (mina, jun, sam) =
        (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await, push.sign_up("Sam", "en").await);
    let (id, publish) = story(&mina, "첫눈 오는 밤");
    push.commit(&publish).await;
    let shown = push.commit_and_wait(&mina, &edge("likes", &jun.user.id, &id)).await;
    assert_eq!(shown.data["rule"], "like-story");
    push.commit(&edge("likes", &sam.user.id, &id)).await;
    push.commit(&follow(&sam, &mina)).await;
    push.wait_until_consumed().await;
    let (items, unread) = inbox(&push, &mina).await;
    assert_eq!((items.len(), unread), (2, 2), "{items:?}");
    let likes = items.iter().find(|item| item["rule"] == "like-story").expect("likes");
    assert_eq!((actors(likes), &likes["actorCount"]), (vec!["Sam", "준"], &json!(2)));
    assert_eq!((&likes["title"], &likes["isRead"]), (&json!("첫눈 오는 밤"), &json!(false)));

    // Page by page.
    let first = push.request(&mina, Method::GET, "/v1/notifications?limit=1", None).await;
    let path = format!("/v1/notifications?limit=1&cursor={}", first["next"].as_str().expect("a cursor"));
    let second = push.request(&mina, Method::GET, &path, None).await;
    assert_eq!([&first["items"][0], &second["items"][0]], [&items[0], &items[1]]);
    let stolen = push.deployed.get(&jun.user, &path).await;
    assert_eq!(stolen.problem(), (400, "urn:iyagi:problem:invalid-cursor"));

    let read = json!({"through": items[0]["updatedAt"]});
    let state = push.request(&mina, Method::PUT, "/v1/notifications/read", Some(&read)).await;
    assert_eq!(state, json!({"unread": 0}));
    assert!(inbox(&push, &mina).await.0.iter().all(|item| item["isRead"] == true));

    // Jun takes the like back; a replay brings nothing back.
    let unlike = neptune::Commit::new().remove_edge(edge_id("likes", &jun.user.id, &id));
    push.commit(&unlike).await;
    push.wait_until_consumed().await;
    push.deployed.replay_stream().await;
    push.wait_until_consumed().await;
    let (items, unread) = inbox(&push, &mina).await;
    let likes = items.iter().find(|item| item["rule"] == "like-story").expect("likes");
    assert_eq!((items.len(), unread, actors(likes)), (2, 0, vec!["Sam"]), "{items:?}");

    // A block hides what the person did before.
    push.commit(&edge("blocks", &mina.user.id, &sam.user.id)).await;
    push.wait_until_consumed().await;
    assert_eq!(inbox(&push, &mina).await.0, Vec::<Value>::new());
    assert_eq!(inbox(&push, &jun).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn user_without_a_phone_finds_notifications_and_unpublished_stories_disappear() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    push.request(&jun, Method::DELETE, "/v1/devices/phone", None).await;
    push.commit(&follow(&jun, &mina)).await;
    push.wait_until_consumed().await;
    let (id, publish) = story(&mina, "새벽 버스");
    push.commit(&publish).await;
    push.wait_until_consumed().await;
    let (items, unread) = inbox(&push, &jun).await;
    assert_eq!((items.len(), unread), (1, 1), "{items:?}");
    assert_eq!((&items[0]["rule"], &items[0]["title"]), (&json!("story"), &json!("새벽 버스")));
    push.commit(&neptune::Commit::new().remove_edge(author_edge_id(&id))).await;
    push.wait_until_consumed().await;
    assert_eq!(inbox(&push, &jun).await, (Vec::new(), 0));
}
