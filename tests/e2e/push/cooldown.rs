//! Edges that are removed and added again do not push again.

use neptune::Commit;
use serde_json::json;

use super::{
    inbox::inbox,
    scenario::{PushScenario, follow, story},
};
use crate::commits::author_edge_id;

#[tokio::test]
async fn like_that_is_toggled_fifty_times_is_pushed_once_and_in_the_inbox_once() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    let (id, publish) = story(&mina, "첫눈 오는 밤");
    push.commit(&publish).await;
    let edge = |number: u32| format!("like-{number}:{id}");
    let like = |number| Commit::new().add_edge(edge(number), "likes", &jun.user.id, &id);
    let shown = push.commit_and_wait(&mina, &like(1)).await;
    assert_eq!(shown.data["rule"], "like-story");
    for number in 1..50 {
        push.commit(&Commit::new().remove_edge(edge(number))).await;
        push.commit(&like(number + 1)).await;
        // Some likes are removed before they are consumed, others after.
        if number % 10 == 0 {
            push.wait_until_consumed().await;
        }
    }
    push.wait_until_consumed().await;
    assert_eq!(push.shown(&mina).await.len(), 1);
    let (items, unread) = inbox(&push, &mina).await;
    assert_eq!((items.len(), unread), (1, 1), "{items:?}");
    assert_eq!((&items[0]["rule"], &items[0]["actorCount"]), (&json!("like-story"), &json!(1)));
    // A replay decides the same.
    push.deployed.replay_stream().await;
    push.wait_until_consumed().await;
    assert_eq!((push.shown(&mina).await.len(), inbox(&push, &mina).await.0.len()), (1, 1));
}

#[tokio::test]
async fn story_that_is_published_again_is_not_announced_again() {
    let push = PushScenario::start().await;
    let (mina, jun, sam) =
        (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await, push.sign_up("Sam", "en").await);
    for follower in [&jun, &sam] {
        push.commit_and_wait(&mina, &follow(follower, &mina)).await;
    }
    let (id, publish) = story(&mina, "첫차를 기다리며");
    push.commit_and_wait(&jun, &publish).await;
    push.wait_until_consumed().await;
    push.commit(&Commit::new().remove_edge(author_edge_id(&id))).await;
    push.wait_until_consumed().await;
    assert_eq!(inbox(&push, &sam).await.0.len(), 0);
    push.commit(&Commit::new().add_edge(format!("again:{id}"), "told", &mina.user.id, &id)).await;
    push.wait_until_consumed().await;
    for follower in [&jun, &sam] {
        assert_eq!((push.shown(follower).await.len(), inbox(&push, follower).await.0.len()), (1, 1));
    }
}
