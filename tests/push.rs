//! What happens in the graph, on the phones of those whom it concerns; on the deployed stack, whose
//! poller runs by its schedule.

mod support;

use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

use domain::push::Platform;
use http::Method;
use local::{
    neptune::Commit,
    phones::{self, Failure, Fault, Notification, Profile, Reach},
    users::{User, Users},
};
use serde_json::{Value, json};
use support::{Deployed, eventually, take_messages};
use uuid::Uuid;

/// How long to wait for a phone. The schedule's first tick may take a minute.
const PATIENCE: Duration = Duration::from_secs(120);

/// The deployed stack, from where its phones stood when the test began.
struct World {
    deployed: Deployed,
    phones: phones::Client,
    since: u64,
}

/// Somebody with an account, a vertex and a phone.
struct Person {
    user: User,
    token: String,
}

impl World {
    async fn new() -> Self {
        let deployed = Deployed::get();
        let phones = deployed.stack.phones();
        let since = phones.head().await.expect("the phones");
        Self { deployed, phones, since }
    }

    async fn sign_up(&self, name: &str, language: &str) -> Person {
        let users = Users::of(&self.deployed.stack).expect("a user pool");
        let user = users.sign_up(name).await.expect("signed up");
        let person = Person { user, token: format!("test-{}", Uuid::new_v4()) };
        self.register(&person, &person.token, language).await;
        let id = &person.user.id;
        self.commit(&Commit::new().add_vertex(id, ["person"]).set(id, "name", name)).await;
        person
    }

    /// The person signs in on the phone with this token.
    async fn register(&self, person: &Person, token: &str, language: &str) {
        let profile =
            Profile { name: person.user.name.clone(), language: language.into(), platform: Platform::Android };
        self.phones.set_up(token, &profile).await.expect("a phone");
        let device = json!({"token": token, "platform": "android", "language": language});
        self.ask(person, Method::PUT, "/v1/devices/phone", Some(&device)).await;
    }

    async fn ask(&self, person: &Person, method: Method, path: &str, body: Option<&Value>) -> Value {
        person.user.ask(&self.deployed.stack, method, path, body).await.expect("an answer")
    }

    async fn commit(&self, commit: &Commit) -> u64 {
        self.deployed.commit(commit).await
    }

    /// Something happens, and this person's phone shows it.
    async fn told(&self, person: &Person, commit: &Commit) -> Notification {
        let number = self.commit(commit).await;
        let is_meant = |shown: &Notification| shown.token == person.token && commit_of(shown) == Some(number);
        self.phones.wait_for_one(self.since, PATIENCE, is_meant).await.expect("told")
    }

    /// Waits until all commits so far have been looked at by everybody.
    async fn settle(&self) {
        self.deployed.settle("PushQueueUrl").await;
    }

    /// All that this person's phone was shown.
    async fn shown(&self, person: &Person) -> Vec<Notification> {
        let all = self.phones.notifications(self.since).await.expect("notifications");
        all.into_iter().filter(|shown| shown.token == person.token).collect()
    }
}

/// The commit that a notification tells of.
fn commit_of(shown: &Notification) -> Option<u64> {
    shown.data.get("event")?.rsplit('/').nth(1)?.parse().ok()
}

fn edge(label: &str, from: &str, to: &str) -> Commit {
    Commit::new().add_edge(edge_id(label, from, to), label, from, to)
}

fn edge_id(label: &str, from: &str, to: &str) -> String {
    format!("{label}:{from}:{to}")
}

fn follow(from: &Person, to: &Person) -> Commit {
    edge("follows", &from.user.id, &to.user.id)
}

/// A story of this author's, and the commit that tells it.
fn story(author: &Person, title: &str) -> (String, Commit) {
    let id = format!("story-{}", Uuid::new_v4());
    let commit = Commit::new().add_vertex(&id, ["story"]).set(&id, "title", title);
    let commit = commit.add_edge(edge_id("told", &author.user.id, &id), "told", &author.user.id, &id);
    (id, commit)
}

fn times(count: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(count)
}

#[tokio::test]
async fn everybody_hears_of_what_concerns_them_in_their_own_language() {
    let world = World::new().await;
    let (mina, olivia) = (world.sign_up("미나", "ko").await, world.sign_up("Olivia", "en").await);
    let shown = world.told(&mina, &follow(&olivia, &mina)).await;
    assert_eq!(
        (shown.notice.title.as_str(), shown.notice.body.as_str()),
        ("새 팔로워", "Olivia님이 회원님을 팔로우하기 시작했어요.")
    );
    let (id, told) = story(&mina, "첫눈 오는 밤");
    let shown = world.told(&olivia, &told).await;
    assert!(shown.notice.body.contains("미나") && shown.notice.body.contains("첫눈 오는 밤"), "{}", shown.notice.body);
    let shown = world.told(&mina, &edge("likes", &olivia.user.id, &id)).await;
    assert_eq!(shown.notice.body, "Olivia님이 ‘첫눈 오는 밤’ 이야기를 좋아해요.");
    let comment = format!("comment-{}", Uuid::new_v4());
    let reply = Commit::new()
        .add_vertex(&comment, ["comment"])
        .add_edge(edge_id("wrote", &olivia.user.id, &comment), "wrote", &olivia.user.id, &comment)
        .add_edge(edge_id("replies_to", &comment, &id), "replies_to", &comment, &id);
    let shown = world.told(&mina, &reply).await;
    assert_eq!(shown.notice.body, "Olivia님이 ‘첫눈 오는 밤’ 이야기에 댓글을 남겼어요.");
    let shown = world.told(&mina, &edge("mentions", &comment, &mina.user.id)).await;
    assert_eq!(shown.notice.title, "언급");
    world.settle().await;
    assert_eq!((world.shown(&mina).await.len(), world.shown(&olivia).await.len()), (4, 1), "each once");
}

#[tokio::test]
async fn nobody_hears_of_what_they_did_or_do_not_want_to_hear_of() {
    let world = World::new().await;
    let (mina, jun, sam) =
        (world.sign_up("미나", "ko").await, world.sign_up("준", "ko").await, world.sign_up("Sam", "en").await);
    let (id, told) = story(&mina, "골목 끝 빵집");
    world.commit(&edge("mutes", &mina.user.id, &jun.user.id)).await;
    world.commit(&edge("blocks", &mina.user.id, &sam.user.id)).await;
    world.ask(&jun, Method::PUT, "/v1/notification-preferences", Some(&json!({"muted": ["followers"]}))).await;
    world.settle().await;
    world.commit(&told).await;
    // Her own, a muted one's, a blocked one's, one to whom the author is closed, an unwanted kind.
    world.commit(&edge("likes", &mina.user.id, &id)).await;
    world.commit(&edge("likes", &jun.user.id, &id)).await;
    world.commit(&edge("likes", &sam.user.id, &id)).await;
    world.commit(&follow(&mina, &sam)).await;
    world.commit(&follow(&sam, &jun)).await;
    // What is undone in the same commit never was.
    world.commit(&follow(&jun, &mina).remove_edge(edge_id("follows", &jun.user.id, &mina.user.id))).await;
    world.settle().await;
    for person in [&mina, &jun, &sam] {
        let shown = world.shown(person).await;
        assert!(
            shown.is_empty(),
            "{}: {:?}",
            person.user.name,
            shown.iter().map(|shown| &shown.notice).collect::<Vec<_>>()
        );
    }
    let shown = world.told(&sam, &follow(&jun, &sam)).await;
    assert!(shown.notice.body.contains('준'), "phones do work");
}

#[tokio::test]
async fn the_whole_stream_replayed_tells_nobody_anything_again() {
    let world = World::new().await;
    let (mina, jun) = (world.sign_up("미나", "ko").await, world.sign_up("준", "ko").await);
    world.told(&mina, &follow(&jun, &mina)).await;
    let (_, told) = story(&mina, "새벽 버스");
    world.told(&jun, &told).await;
    world.settle().await;
    let answer = world.deployed.replay_all().await;
    assert!(answer["changes"].as_u64().is_some_and(|changes| changes >= 6), "{answer}");
    world.settle().await;
    assert_eq!((world.shown(&mina).await.len(), world.shown(&jun).await.len()), (1, 1), "each once");
}

#[tokio::test]
async fn a_phone_shows_nothing_to_whom_it_does_not_belong_any_more() {
    let world = World::new().await;
    let (mina, jun, sam) =
        (world.sign_up("미나", "ko").await, world.sign_up("준", "ko").await, world.sign_up("Sam", "en").await);
    // Somebody else signs in on Mina's phone.
    world.register(&jun, &mina.token, "ko").await;
    let number = world.commit(&follow(&sam, &mina)).await;
    let on_her_old_phone = Person { user: jun.user.clone(), token: mina.token.clone() };
    let shown = world.told(&on_her_old_phone, &follow(&sam, &jun)).await;
    assert_eq!(shown.token, mina.token);
    world.settle().await;
    let all = world.phones.notifications(world.since).await.expect("notifications");
    assert!(all.iter().all(|shown| commit_of(shown) != Some(number)), "she has no phone");
    // And signs out.
    world.ask(&jun, Method::DELETE, "/v1/devices/phone", None).await;
    let number = world.commit(&follow(&mina, &jun)).await;
    world.settle().await;
    let all = world.phones.notifications(world.since).await.expect("notifications");
    assert!(all.iter().all(|shown| commit_of(shown) != Some(number)), "he has signed out");
}

#[tokio::test]
async fn a_phone_that_is_gone_is_forgotten() {
    let world = World::new().await;
    let (mina, jun, sam) =
        (world.sign_up("미나", "ko").await, world.sign_up("준", "ko").await, world.sign_up("Sam", "en").await);
    world.phones.set_reach(&mina.token, Reach::Stale).await.expect("stale");
    // SNS takes the first and hears from FCM; it refuses the second.
    world.commit(&follow(&jun, &mina)).await;
    world.settle().await;
    world.commit(&follow(&sam, &mina)).await;
    eventually("the device to be forgotten", async || {
        let answer = mina.user.ask(&world.deployed.stack, Method::GET, "/v1/devices/phone", None).await;
        answer.err().filter(|error| error.to_string().contains("404"))
    })
    .await;
}

#[tokio::test]
async fn what_sns_cannot_take_now_comes_later_and_is_shown_once() {
    let world = World::new().await;
    let (mina, jun) = (world.sign_up("미나", "ko").await, world.sign_up("준", "ko").await);
    let fault = |failure| Fault::new(failure).for_token(&mina.token);
    world.phones.fault(fault(Failure::Throttled), times(2)).await.expect("ordered");
    world.told(&mina, &follow(&jun, &mina)).await;
    world.settle().await;
    assert_eq!(world.shown(&mina).await.len(), 1);
    // Done, but nobody said so: it comes twice, and the second takes the place of the first.
    world.phones.fault(fault(Failure::LostAnswer), times(1)).await.expect("ordered");
    let (id, told) = story(&mina, "등대");
    world.commit(&told).await;
    world.told(&mina, &edge("likes", &jun.user.id, &id)).await;
    world.settle().await;
    let screen = world.phones.phone(&mina.token).await.expect("a phone").screen;
    let tags: BTreeSet<_> = screen.iter().map(|shown| shown.notice.tag.clone()).collect();
    assert_eq!((screen.len(), tags.len()), (2, 2), "a follow and a like");
}

#[tokio::test]
async fn what_is_no_change_goes_to_the_dead_letters_and_its_group_goes_on() {
    let world = World::new().await;
    let (mina, jun) = (world.sign_up("미나", "ko").await, world.sign_up("준", "ko").await);
    let poison = format!("no change {}", Uuid::new_v4());
    let group = format!("edge/{}", edge_id("follows", &jun.user.id, &mina.user.id));
    let input = json!({
        "QueueUrl": world.deployed.output("PushQueueUrl"), "MessageBody": poison,
        "MessageGroupId": group, "MessageDeduplicationId": poison.replace(' ', "-"),
    });
    world.deployed.aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("sent");
    world.told(&mina, &follow(&jun, &mina)).await;
    eventually("the dead letter", async || {
        let dead_letters = world.deployed.output("PushDeadLettersUrl");
        take_messages(&world.deployed.aws, dead_letters, |body| body == poison).await.pop()
    })
    .await;
}

#[tokio::test]
async fn only_who_is_signed_in_may_register_a_phone() {
    let world = World::new().await;
    let mina = world.sign_up("미나", "ko").await;
    let device = json!({"token": "t", "platform": "android", "language": "ko"});
    let (status, _) = world.deployed.send_json(Method::PUT, "/v1/devices/phone", None, &device).await;
    assert_eq!(status, 401);
    let forged = format!("{}x", mina.user.access_token);
    let (status, _) = world.deployed.send_json(Method::PUT, "/v1/devices/phone", Some(&forged), &device).await;
    assert_eq!(status, 401);
    let token = Some(mina.user.access_token.as_str());
    for (path, body) in [
        ("/v1/devices/phone", json!({"token": "", "platform": "android"})),
        ("/v1/devices/phone", json!({"token": "x".repeat(8193), "platform": "android"})),
        ("/v1/devices/phone", json!({"token": "t", "platform": "symbian"})),
        ("/v1/devices/phone", json!([])),
        ("/v1/notification-preferences", json!({"muted": ["weather"]})),
        (
            "/v1/notification-preferences",
            json!({"quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Mars/Base"}}),
        ),
    ] {
        let (status, problem) = world.deployed.send_json(Method::PUT, path, token, &body).await;
        assert!(status == 400 || status == 413 || status == 422, "{status} {problem}");
        assert!(problem["type"].is_string() && problem["status"] == status, "{problem}");
    }
    let preferences =
        json!({"muted": ["likes"], "quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Asia/Seoul"}});
    world.ask(&mina, Method::PUT, "/v1/notification-preferences", Some(&preferences)).await;
    let kept = world.ask(&mina, Method::GET, "/v1/notification-preferences", None).await;
    assert_eq!((&kept["muted"], &kept["quietHours"]), (&preferences["muted"], &preferences["quietHours"]));
}
