//! Notifications: changes of the graph in, notifications on phones out. The poller runs by its schedule.
//!
//! Functions: stream-poller, push-fanout, device-api, inbox-api, platform-application.

mod cooldown;
mod hidden_content;
mod inbox;
pub mod scenario;

use std::{collections::BTreeSet, num::NonZeroU32};

use http::Method;
use mobile_push::{Failure, Fault, Reachability};
use neptune::Commit;
use serde_json::json;
use test_support::{queues::take_messages, wait::wait_until};
use uuid::Uuid;

use self::scenario::{Person, PushScenario, follow, story};
use crate::commits::{add_edge, edge, edge_id};

fn times(count: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(count)
}

#[tokio::test]
async fn each_rule_notifies_its_audience_once_in_their_language() {
    let push = PushScenario::start().await;
    let (mina, olivia) = (push.sign_up("미나", "ko").await, push.sign_up("Olivia", "en").await);
    let shown = push.commit_and_wait(&mina, &follow(&olivia, &mina)).await;
    assert_eq!(
        (shown.notice.title.as_str(), shown.notice.body.as_str()),
        ("새 팔로워", "Olivia님이 회원님을 팔로우하기 시작했어요.")
    );
    let (id, publish) = story(&mina, "첫눈 오는 밤");
    let shown = push.commit_and_wait(&olivia, &publish).await;
    assert!(shown.notice.body.contains("미나") && shown.notice.body.contains("첫눈 오는 밤"), "{}", shown.notice.body);
    let shown = push.commit_and_wait(&mina, &edge("likes", &olivia.user.id, &id)).await;
    assert_eq!(shown.notice.body, "Olivia님이 ‘첫눈 오는 밤’ 이야기를 좋아해요.");
    let comment = format!("comment-{}", Uuid::new_v4());
    let reply = Commit::new().add_vertex(&comment, ["comment"]);
    let reply = add_edge(add_edge(reply, "wrote", &olivia.user.id, &comment), "replies_to", &comment, &id);
    let shown = push.commit_and_wait(&mina, &reply).await;
    assert_eq!(shown.notice.body, "Olivia님이 ‘첫눈 오는 밤’ 이야기에 댓글을 남겼어요.");
    let shown = push.commit_and_wait(&mina, &edge("mentions", &comment, &mina.user.id)).await;
    assert_eq!(shown.notice.title, "언급");
    push.wait_until_consumed().await;
    assert_eq!((push.shown(&mina).await.len(), push.shown(&olivia).await.len()), (4, 1), "each once");
}

#[tokio::test]
async fn story_notifies_each_of_several_followers_once() {
    let push = PushScenario::start().await;
    let (mina, jun, sam, sora) = (
        push.sign_up("미나", "ko").await,
        push.sign_up("준", "ko").await,
        push.sign_up("Sam", "en").await,
        push.sign_up("소라", "ko").await,
    );
    push.request(&sora, Method::DELETE, "/v1/devices/phone", None).await;
    for follower in [&jun, &sam, &sora] {
        push.commit_and_wait(&mina, &follow(follower, &mina)).await;
    }
    let (_, publish) = story(&mina, "첫차를 기다리며");
    let commit = push.commit(&publish).await;
    push.wait_until_consumed().await;
    assert!(push.is_shown(commit).await);
    let counts = [push.shown(&jun).await.len(), push.shown(&sam).await.len(), push.shown(&sora).await.len()];
    assert_eq!(counts, [1, 1, 0]);
}

#[tokio::test]
async fn own_muted_blocked_and_undone_actions_send_no_notification() {
    let push = PushScenario::start().await;
    let (mina, jun, sam) =
        (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await, push.sign_up("Sam", "en").await);
    let (id, publish) = story(&mina, "골목 끝 빵집");
    push.commit(&edge("mutes", &mina.user.id, &jun.user.id)).await;
    push.commit(&edge("blocks", &mina.user.id, &sam.user.id)).await;
    push.request(&jun, Method::PUT, "/v1/notification-preferences", Some(&json!({"muted": ["followers"]}))).await;
    push.wait_until_consumed().await;
    push.commit(&publish).await;
    // Of the story's author, of a muted user, of a blocked user.
    for person in [&mina, &jun, &sam] {
        push.commit(&edge("likes", &person.user.id, &id)).await;
    }
    // The follower has blocked the recipient; the recipient has muted this category.
    push.commit(&follow(&mina, &sam)).await;
    push.commit(&follow(&sam, &jun)).await;
    // A commit that adds and removes the same edge changes nothing.
    push.commit(&follow(&jun, &mina).remove_edge(edge_id("follows", &jun.user.id, &mina.user.id))).await;
    push.wait_until_consumed().await;
    for person in [&mina, &jun, &sam] {
        let shown = push.shown(person).await;
        let notices: Vec<_> = shown.iter().map(|shown| &shown.notice).collect();
        assert!(notices.is_empty(), "{}: {notices:?}", person.user.name);
    }
    // Notifications do reach this phone.
    let shown = push.commit_and_wait(&sam, &follow(&jun, &sam)).await;
    assert!(shown.notice.body.contains('준'), "{}", shown.notice.body);
}

#[tokio::test]
async fn replay_of_whole_stream_sends_no_notification_again() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    push.commit_and_wait(&mina, &follow(&jun, &mina)).await;
    let (_, publish) = story(&mina, "새벽 버스");
    push.commit_and_wait(&jun, &publish).await;
    push.wait_until_consumed().await;
    let response = push.deployed.replay_stream().await;
    assert!(response["changes"].as_u64().is_some_and(|changes| changes >= 6), "{response}");
    push.wait_until_consumed().await;
    assert_eq!((push.shown(&mina).await.len(), push.shown(&jun).await.len()), (1, 1), "each once");
}

#[tokio::test]
async fn phone_shows_notifications_of_signed_in_user_only() {
    let push = PushScenario::start().await;
    let (mina, jun, sam) =
        (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await, push.sign_up("Sam", "en").await);
    // Jun signs in on Mina's phone.
    push.register_device(&jun, &mina.token, "ko").await;
    let to_mina = push.commit(&follow(&sam, &mina)).await;
    let jun_on_her_phone = Person { user: jun.user.clone(), token: mina.token.clone() };
    let shown = push.commit_and_wait(&jun_on_her_phone, &follow(&sam, &jun)).await;
    assert_eq!(shown.token, mina.token);
    push.wait_until_consumed().await;
    assert!(!push.is_shown(to_mina).await, "Mina has no phone any more");
    // Jun signs out.
    push.request(&jun, Method::DELETE, "/v1/devices/phone", None).await;
    let to_jun = push.commit(&follow(&mina, &jun)).await;
    push.wait_until_consumed().await;
    assert!(!push.is_shown(to_jun).await, "Jun has signed out");
}

#[tokio::test]
async fn endpoint_without_a_device_is_collected() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    let endpoints_of = async |person: &Person| {
        let endpoints = push.phones.endpoints().await.expect("endpoints");
        endpoints.iter().filter(|endpoint| endpoint.token == person.token).count()
    };
    push.request(&mina, Method::DELETE, "/v1/devices/phone", None).await;
    assert_eq!(endpoints_of(&mina).await, 1, "signing out deletes no endpoint");
    // Each collection examines a part; the schedule may run one, too.
    wait_until("the endpoint to be deleted", async || {
        let collected = push.deployed.invoke("DeviceApiName", &json!({"source": "aws.events"})).await;
        assert!(collected["examined"].is_u64(), "{collected}");
        endpoints_of(&mina).await == 0
    })
    .await;
    assert_eq!(endpoints_of(&jun).await, 1);
    // Jun takes the phone over, whose endpoint was just deleted.
    push.register_device(&jun, &mina.token, "ko").await;
    let jun_on_her_phone = Person { user: jun.user.clone(), token: mina.token.clone() };
    push.commit_and_wait(&jun_on_her_phone, &follow(&mina, &jun)).await;
}

/// Waits until the person has no device any more.
async fn wait_until_removed(push: &PushScenario, person: &Person) {
    wait_until("the device to be removed", async || {
        push.deployed.get(&person.user, "/v1/devices/phone").await.status == 404
    })
    .await;
}

#[tokio::test]
async fn device_with_stale_token_is_removed_after_its_first_notification() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    push.phones.set_reachability(&mina.token, Reachability::Stale).await.expect("stale");
    // SNS accepts the message, disables the endpoint after FCM's response, and publishes an event.
    push.commit(&follow(&jun, &mina)).await;
    wait_until_removed(&push, &mina).await;
    // The phone registers again: its endpoint is enabled.
    push.phones.set_reachability(&mina.token, Reachability::Online).await.expect("reachable");
    push.register_device(&mina, &mina.token, "ko").await;
    let (id, publish) = story(&mina, "등불");
    push.commit(&publish).await;
    push.commit_and_wait(&mina, &edge("likes", &jun.user.id, &id)).await;
}

#[tokio::test]
async fn device_of_endpoint_that_is_disabled_without_an_event_is_removed_at_next_notification() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    push.phones.disable_endpoints(&mina.token).await.expect("disabled");
    push.commit(&follow(&jun, &mina)).await;
    wait_until_removed(&push, &mina).await;
    assert!(push.shown(&mina).await.is_empty());
}

#[tokio::test]
async fn event_that_is_none_is_dead_lettered() {
    let push = PushScenario::start().await;
    let poison = format!("no event {}", Uuid::new_v4());
    let input = json!({"QueueUrl": push.deployed.output("PushEventsQueueUrl"), "MessageBody": poison});
    push.deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("message sent");
    let dead_letters = push.deployed.output("PushEventsDeadLettersUrl");
    wait_until("the dead letter", async || {
        !take_messages(&push.deployed.aws, dead_letters, |body| body == poison).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn sns_fault_delays_notification_which_is_shown_once() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    let fault = |failure| Fault::new(failure).for_token(&mina.token);
    push.phones.inject_fault(fault(Failure::Throttled), times(2)).await.expect("fault");
    push.commit_and_wait(&mina, &follow(&jun, &mina)).await;
    push.wait_until_consumed().await;
    assert_eq!(push.shown(&mina).await.len(), 1);
    // With a lost response, the message is sent twice. The second notification replaces the first.
    push.phones.inject_fault(fault(Failure::LostAnswer), times(1)).await.expect("fault");
    let (id, publish) = story(&mina, "등대");
    push.commit(&publish).await;
    push.commit_and_wait(&mina, &edge("likes", &jun.user.id, &id)).await;
    push.wait_until_consumed().await;
    let screen = push.phones.phone(&mina.token).await.expect("phone").screen;
    let tags: BTreeSet<_> = screen.iter().map(|shown| shown.notice.tag.clone()).collect();
    assert_eq!((screen.len(), tags.len()), (2, 2), "a follow and a like");
}

#[tokio::test]
async fn poison_message_is_dead_lettered_and_its_group_continues() {
    let push = PushScenario::start().await;
    let (mina, jun) = (push.sign_up("미나", "ko").await, push.sign_up("준", "ko").await);
    let poison = format!("no change {}", Uuid::new_v4());
    let group = format!("edge/{}", edge_id("follows", &jun.user.id, &mina.user.id));
    let input = json!({
        "QueueUrl": push.deployed.output("PushQueueUrl"), "MessageBody": poison,
        "MessageGroupId": group, "MessageDeduplicationId": poison.replace(' ', "-"),
    });
    push.deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("message sent");
    push.commit_and_wait(&mina, &follow(&jun, &mina)).await;
    let dead_letters = push.deployed.output("PushDeadLettersUrl");
    wait_until("the dead letter", async || {
        !take_messages(&push.deployed.aws, dead_letters, |body| body == poison).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn unauthorised_or_invalid_registration_is_refused() {
    let push = PushScenario::start().await;
    let mina = push.sign_up("미나", "ko").await;
    let device = json!({"token": "t", "platform": "android", "language": "ko"});
    let forged = format!("{}x", mina.user.access_token);
    for token in [None, Some(forged.as_str())] {
        assert_eq!(push.deployed.put_with_token("/v1/devices/phone", token, &device).await.0, 401);
    }
    let token = Some(mina.user.access_token.as_str());
    for (path, body) in [
        ("/v1/devices/phone", json!({"token": "", "platform": "android"})),
        ("/v1/devices/phone", json!({"token": "x".repeat(8193), "platform": "android"})),
        ("/v1/devices/phone", json!({"token": "t", "platform": "symbian"})),
        ("/v1/devices/phone", json!([])),
        ("/v1/notification-preferences", json!({"muted": ["weather"]})),
        ("/v1/notification-preferences", json!({"hideContent": "yes"})),
        (
            "/v1/notification-preferences",
            json!({"quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Mars/Base"}}),
        ),
    ] {
        let (status, problem) = push.deployed.put_with_token(path, token, &body).await;
        assert!(status == 400 || status == 413 || status == 422, "{status} {problem}");
        assert!(problem["type"].is_string() && problem["status"] == status, "{problem}");
    }
    let preferences =
        json!({"muted": ["likes"], "quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Asia/Seoul"}});
    push.request(&mina, Method::PUT, "/v1/notification-preferences", Some(&preferences)).await;
    let stored = push.request(&mina, Method::GET, "/v1/notification-preferences", None).await;
    assert_eq!((&stored["muted"], &stored["quietHours"]), (&preferences["muted"], &preferences["quietHours"]));
}
