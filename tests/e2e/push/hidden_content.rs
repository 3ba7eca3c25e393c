//! Users who hide the content of notifications.

use http::Method;
use serde_json::json;

use super::{
    inbox::inbox,
    scenario::{PushScenario, follow, story},
};
use crate::commits::edge;

const PREFERENCES: &str = "/v1/notification-preferences";

#[tokio::test]
async fn hidden_names_and_titles_reach_the_inbox_and_not_the_phone() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("소라", "ko").await);
    let defaults = push.request(&mina, Method::GET, PREFERENCES, None).await;
    assert_eq!(defaults, json!({"muted": [], "hideContent": false}));
    let hidden = json!({"muted": [], "hideContent": true});
    assert_eq!(push.request(&mina, Method::PUT, PREFERENCES, Some(&hidden)).await, hidden);
    let (id, publish) = story(&mina, "첫눈 오는 밤");
    push.commit(&publish).await;
    let followed = push.commit_and_wait(&mina, &follow(&jun, &mina)).await;
    let liked = push.commit_and_wait(&mina, &edge("likes", &jun.user.id, &id)).await;
    assert_eq!(followed.notice.body, "누군가 회원님을 팔로우하기 시작했어요.");
    assert_eq!(liked.notice.body, "누군가 회원님의 이야기를 좋아해요.");
    for shown in [&followed, &liked] {
        let all = format!("{:?} {:?}", shown.notice, shown.data);
        assert!(!all.contains("소라") && !all.contains("첫눈"), "{all}");
        assert_eq!(shown.data["actor"], jun.user.id, "ids stay");
    }
    push.wait_until_consumed().await;
    let (items, _) = inbox(&push, &mina).await;
    let like = items.iter().find(|item| item["rule"] == "like-story").expect("a like");
    assert_eq!((&like["title"], &like["actors"][0]["name"]), (&json!("첫눈 오는 밤"), &json!("소라")));
    // Shown again.
    let shown = json!({"muted": [], "hideContent": false});
    push.request(&mina, Method::PUT, PREFERENCES, Some(&shown)).await;
    let (id, publish) = story(&mina, "골목 끝 빵집");
    push.commit(&publish).await;
    let liked = push.commit_and_wait(&mina, &edge("likes", &jun.user.id, &id)).await;
    assert_eq!(liked.notice.body, "소라님이 ‘골목 끝 빵집’ 이야기를 좋아해요.");
}
