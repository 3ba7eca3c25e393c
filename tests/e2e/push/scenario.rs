//! People with phones, and the notifications that the phones show.

use domain::push::Platform;
use http::Method;
use mobile_push::{self, Notification, Profile};
use neptune::Commit;
use serde_json::{Value, json};
use stack::users::User;
use test_support::wait::TIMEOUT;
use uuid::Uuid;

use crate::{
    commits::{add_person, add_story, edge},
    deployed::Deployed,
};

/// The deployed stack, and the notifications since the start of a test.
pub struct PushScenario {
    pub deployed: Deployed,
    pub phones: mobile_push::Client,
    since: u64,
}

/// A user with a vertex and a registered phone.
pub struct Person {
    pub user: User,
    /// The FCM token of the phone.
    pub token: String,
}

impl PushScenario {
    pub async fn start() -> Self {
        let deployed = Deployed::shared().await;
        let phones = deployed.stack.mobile_push();
        let since = phones.head().await.expect("head");
        Self { deployed, phones, since }
    }

    pub async fn sign_up(&self, name: &str, language: &str) -> Person {
        let user = self.deployed.sign_up(name).await;
        let person = Person { user, token: format!("test-{}", Uuid::new_v4()) };
        self.register_device(&person, &person.token, language).await;
        self.commit(&add_person(Commit::new(), &person.user)).await;
        person
    }

    /// Signs the person in on the phone with this token.
    pub async fn register_device(&self, person: &Person, token: &str, language: &str) {
        let profile =
            Profile { name: person.user.name.clone(), language: language.into(), platform: Platform::Android };
        self.phones.register_phone(token, &profile).await.expect("phone");
        let device = json!({"token": token, "platform": "android", "language": language});
        self.request(person, Method::PUT, "/v1/devices/phone", Some(&device)).await;
    }

    /// The body of a successful response of the API.
    pub async fn request(&self, person: &Person, method: Method, path: &str, body: Option<&Value>) -> Value {
        person.user.request(&self.deployed.stack, method, path, body).await.expect("success")
    }

    pub async fn commit(&self, commit: &Commit) -> u64 {
        self.deployed.commit(commit).await
    }

    /// Commits, and waits until the person's phone shows a notification of this commit.
    pub async fn commit_and_wait(&self, person: &Person, commit: &Commit) -> Notification {
        let number = self.commit(commit).await;
        let matches = |shown: &Notification| shown.token == person.token && commit_of(shown) == Some(number);
        self.phones.wait_for_one(self.since, TIMEOUT, matches).await.expect("notification")
    }

    /// Waits until push has consumed all commits so far.
    pub async fn wait_until_consumed(&self) {
        self.deployed.wait_until_consumed("PushQueueUrl").await;
    }

    /// The notifications that the person's phone has shown.
    pub async fn shown(&self, person: &Person) -> Vec<Notification> {
        let mut all = self.all().await;
        all.retain(|shown| shown.token == person.token);
        all
    }

    /// Whether any phone has shown a notification of this commit.
    pub async fn is_shown(&self, commit: u64) -> bool {
        self.all().await.iter().any(|shown| commit_of(shown) == Some(commit))
    }

    async fn all(&self) -> Vec<Notification> {
        self.phones.notifications(self.since).await.expect("notifications")
    }
}

/// The number of the commit that a notification is about.
fn commit_of(shown: &Notification) -> Option<u64> {
    shown.data.get("event")?.rsplit('/').nth(1)?.parse().ok()
}

pub fn follow(from: &Person, to: &Person) -> Commit {
    edge("follows", &from.user.id, &to.user.id)
}

/// A new story: its id, and the commit that publishes it.
pub fn story(author: &Person, title: &str) -> (String, Commit) {
    let id = format!("story-{}", Uuid::new_v4());
    let commit = add_story(Commit::new(), &author.user.id, &id, title);
    (id, commit)
}
