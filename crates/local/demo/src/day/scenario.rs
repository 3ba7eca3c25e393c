use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use domain::push::Platform;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, tz::TimeZone};
use mobile_push::{Notification, Profile};
use neptune::Commit;
use reqwest::Method;
use serde_json::{Value, json};
use stack::{
    Stack,
    users::{User, Users},
};
use uuid::Uuid;

use crate::drawing::{self, DisplayedNotice};

/// How long a notification may take on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(90);

/// The result of a scenario.
pub struct Day {
    /// The final state of the phones.
    pub phones: Vec<drawing::Phone>,
    /// The actions without notification.
    pub not_notified: Vec<NotNotified>,
}

/// An action without notification.
pub struct NotNotified {
    /// The action.
    pub action: String,
    /// Why there is no notification.
    pub reason: String,
}

/// A running scenario.
pub struct Scenario<'a> {
    stack: &'a Stack,
    users: Users,
    graph: neptune::Client,
    phones: mobile_push::Client,
    /// Sequence number of the phones before the scenario.
    since: u64,
    persons: Vec<Person>,
    /// Keyed by commit number.
    actions: BTreeMap<u64, Action>,
}

struct Person {
    user: User,
    token: String,
}

/// A commit and its expected recipients.
struct Action {
    name: String,
    committed_at: i64,
    /// Ids of the recipients.
    recipients: BTreeSet<String>,
    /// Why there are no recipients.
    reason: Option<String>,
}

/// The id of an edge.
pub fn edge_id(label: &str, from: &str, to: &str) -> String {
    format!("{label}:{from}:{to}")
}

/// A commit that adds an edge.
pub fn edge(label: &str, from: &str, to: &str) -> Commit {
    Commit::new().add_edge(edge_id(label, from, to), label, from, to)
}

/// Preferences with quiet hours in Seoul that include the current time.
pub fn quiet_now() -> Value {
    let seoul = TimeZone::get("Asia/Seoul").unwrap_or(TimeZone::UTC);
    let now = Zoned::new(Timestamp::now(), seoul);
    let clock = |time: Zoned| time.strftime("%H:%M").to_string();
    let from = now.checked_sub(1.hour()).map(clock).unwrap_or_default();
    let to = now.checked_add(SignedDuration::from_hours(3)).map(clock).unwrap_or_default();
    json!({"quietHours": {"from": from, "to": to, "timeZone": "Asia/Seoul"}})
}

impl<'a> Scenario<'a> {
    /// Starts the poller and a scenario.
    pub async fn start(stack: &'a Stack) -> Result<Self> {
        // The schedule would start the poller only after the first minute of a new stack.
        let path = format!("/2015-03-31/functions/{}/invocations", stack.output("StreamPollerName")?);
        let asynchronous = [("x-amz-invocation-type", "Event")];
        let response = stack.aws().send("lambda", Method::POST, &path, &asynchronous, b"{}".to_vec()).await?;
        ensure!(response.status.is_success(), "cannot start the poller: {}", response.status);
        let phones = stack.mobile_push();
        let since = phones.head().await?;
        let (users, graph) = (Users::from_stack(stack)?, stack.neptune());
        Ok(Self { stack, users, graph, phones, since, persons: Vec::new(), actions: BTreeMap::new() })
    }

    /// Creates a person with an account, a vertex and a phone, and returns the id.
    pub async fn sign_up(&mut self, name: &str, language: &str, platform: Platform) -> Result<String> {
        let user = self.users.sign_up(name).await?;
        let token = format!("demo-{}", Uuid::new_v4());
        let profile = Profile { name: name.to_owned(), language: language.to_owned(), platform };
        self.phones.register_phone(&token, &profile).await?;
        let device = json!({"token": token, "platform": platform, "language": language});
        user.request(self.stack, Method::PUT, "/v1/devices/phone", Some(&device)).await?;
        self.graph.commit(&Commit::new().add_vertex(&user.id, ["person"]).set(&user.id, "name", name)).await?;
        println!("    {name} signs up and registers a phone ({language})");
        let id = user.id.clone();
        self.persons.push(Person { user, token });
        Ok(id)
    }

    /// Commits and waits until the phones of `to` display notifications.
    pub async fn step(&mut self, name: &str, commit: Commit, to: &[&str]) -> Result<Vec<Notification>> {
        println!("\n  ▸ {name}");
        let commit_num = self.commit(name, &commit, to, None).await?;
        let tokens: BTreeSet<_> = to.iter().map(|id| Ok(self.person(id)?.token.as_str())).collect::<Result<_>>()?;
        let received = self
            .phones
            .wait_for(self.since, TIMEOUT, |all| {
                let received: Vec<_> =
                    all.iter().filter(|shown| commit_of(shown) == Some(commit_num)).cloned().collect();
                tokens.iter().all(|token| received.iter().any(|shown| shown.token == *token)).then_some(received)
            })
            .await
            .with_context(|| format!("{name}: a notification is missing"))?;
        for shown in &received {
            let notice = self.displayed(shown);
            println!(
                "    {}{}",
                drawing::line(&shown.phone, &notice),
                if shown.replaced { "  (replaces)" } else { "" }
            );
        }
        Ok(received)
    }

    /// Commits a change that must not be notified.
    pub async fn unnotified_step(&mut self, name: &str, commit: Commit, reason: &str) -> Result<()> {
        println!("\n  ▸ {name}");
        println!("    no notification: {reason}");
        self.commit(name, &commit, &[], Some(reason)).await?;
        Ok(())
    }

    /// Sets the notification preferences of a person.
    pub async fn set_preferences(&self, id: &str, name: &str, preferences: &Value) -> Result<()> {
        println!("\n  ▸ {name}");
        let user = &self.person(id)?.user;
        user.request(self.stack, Method::PUT, "/v1/notification-preferences", Some(preferences)).await?;
        Ok(())
    }

    /// Searches for `query` until the first hit is `story`.
    pub async fn search(&self, id: &str, name: &str, query: &str, story: &str) -> Result<()> {
        println!("\n  ▸ {name}");
        let path: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("/v1/search?kind=story&q={path}");
        let user = &self.person(id)?.user;
        let start = Instant::now();
        loop {
            let page = user.request(self.stack, Method::GET, &path, None).await?;
            let first = &page["items"][0];
            if first["id"] == story {
                let (title, author) = (first["title"].as_str(), first["author"]["name"].as_str());
                println!("    {} ({})", title.unwrap_or_default(), author.unwrap_or_default());
                return Ok(());
            }
            ensure!(start.elapsed() < TIMEOUT, "{name}: not found");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Checks that every notification was expected and displayed once.
    pub async fn finish(self) -> Result<Day> {
        let tokens: BTreeSet<_> = self.persons.iter().map(|person| person.token.as_str()).collect();
        let mut shown = self.phones.notifications(self.since).await?;
        shown.retain(|shown| tokens.contains(shown.token.as_str()));
        let mut notified = BTreeSet::new();
        for notification in &shown {
            let action = commit_of(notification).and_then(|commit| Some((commit, self.actions.get(&commit)?)));
            let (commit, action) = action.with_context(|| format!("unexpected: “{}”", notification.notice.body))?;
            let person = self.persons.iter().find(|person| person.token == notification.token);
            let id = &person.context("unknown phone")?.user.id;
            ensure!(action.recipients.contains(id), "{} was notified: {}", notification.phone, action.name);
            ensure!(
                notified.insert((commit, id.clone())),
                "{} was notified twice: {}",
                notification.phone,
                action.name
            );
        }
        let undisplayed = self.phones.undisplayed(self.since).await?;
        if let Some(message) = undisplayed.iter().find(|message| tokens.contains(message.token.as_str())) {
            bail!("a message was not displayed: {:?}", message.reason);
        }
        let mut latencies: Vec<_> = shown.iter().filter_map(|shown| self.displayed(shown).latency).collect();
        latencies.sort_unstable();
        if let (Some(median), Some(maximum)) = (latencies.get(latencies.len() / 2), latencies.last()) {
            let (median, maximum) = (median.as_millis(), maximum.as_millis());
            println!(
                "\n    {} notifications, each displayed once; from commit to phone: median {median} ms, maximum {maximum} ms",
                latencies.len()
            );
        }
        let not_notified = self
            .actions
            .values()
            .filter_map(|action| Some(NotNotified { action: action.name.clone(), reason: action.reason.clone()? }));
        let not_notified = not_notified.collect();
        let mut phones = Vec::new();
        for person in &self.persons {
            let phone = self.phones.phone(&person.token).await?;
            phones.push(drawing::Phone {
                name: phone.profile.name,
                language: phone.profile.language,
                platform: phone.profile.platform,
                notices: phone.screen.iter().map(|shown| self.displayed(shown)).collect(),
            });
        }
        Ok(Day { phones, not_notified })
    }

    async fn commit(&mut self, name: &str, commit: &Commit, to: &[&str], reason: Option<&str>) -> Result<u64> {
        let committed = self.graph.commit(commit).await?;
        let commit_num = committed.commit_num.with_context(|| format!("{name}: the commit changed nothing"))?;
        let action = Action {
            name: name.to_owned(),
            committed_at: committed.commit_timestamp,
            recipients: to.iter().map(|id| (*id).to_owned()).collect(),
            reason: reason.map(str::to_owned),
        };
        self.actions.insert(commit_num, action);
        Ok(commit_num)
    }

    fn person(&self, id: &str) -> Result<&Person> {
        self.persons.iter().find(|person| person.user.id == id).context("unknown person")
    }

    fn displayed(&self, shown: &Notification) -> DisplayedNotice {
        let action = commit_of(shown).and_then(|commit| self.actions.get(&commit));
        let latency = action.and_then(|action| u64::try_from(shown.received_at - action.committed_at).ok());
        DisplayedNotice {
            title: shown.notice.title.clone(),
            body: shown.notice.body.clone(),
            silent: shown.notice.silent,
            received_at: shown.received_at,
            latency: latency.map(Duration::from_millis),
        }
    }
}

/// The commit of a notification: `data.event` is `<cluster>/<commitNum>/<opNum>`.
fn commit_of(shown: &Notification) -> Option<u64> {
    shown.data.get("event")?.rsplit('/').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use api::NotificationPreferences;
    use domain::push::{Category, Delivery, Preferences};

    use super::*;

    #[test]
    fn current_time_is_in_the_quiet_hours() {
        let chosen: NotificationPreferences = serde_json::from_value(quiet_now()).expect("preferences");
        let preferences = Preferences::try_from(chosen).expect("quiet hours");
        assert_eq!(preferences.delivery(Category::Followers, Timestamp::now()), Delivery::Silent);
    }
}
