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

use super::{Day, Untold};
use crate::drawing::{self, Drawn};

/// How long to wait for a notification before something must be wrong: machines may be slow.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where the day is played.
pub struct Stage<'a> {
    stack: &'a Stack,
    users: Users,
    graph: neptune::Client,
    phones: phones::Client,
    /// The number of what happened last before the day.
    since: u64,
    cast: Vec<Person>,
    /// By the number of the commit.
    deeds: BTreeMap<u64, Deed>,
}

struct Person {
    user: User,
    token: String,
}

/// A commit, and who is to be told of it.
struct Deed {
    what: String,
    committed_at: i64,
    /// Ids of people.
    told: BTreeSet<String>,
    /// UndisplayedReason nobody is.
    why_untold: Option<String>,
}

/// The id of an edge.
pub fn edge_id(label: &str, from: &str, to: &str) -> String {
    format!("{label}:{from}:{to}")
}

/// An edge is added.
pub fn edge(label: &str, from: &str, to: &str) -> Commit {
    Commit::new().add_edge(edge_id(label, from, to), label, from, to)
}

/// Preferences with quiet hours that have begun in Seoul, and last a while.
pub fn quiet_now() -> Value {
    let seoul = TimeZone::get("Asia/Seoul").unwrap_or(TimeZone::UTC);
    let now = Zoned::new(Timestamp::now(), seoul);
    let clock = |time: Zoned| time.strftime("%H:%M").to_string();
    let from = now.checked_sub(1.hour()).map(clock).unwrap_or_default();
    let to = now.checked_add(SignedDuration::from_hours(3)).map(clock).unwrap_or_default();
    json!({"quietHours": {"from": from, "to": to, "timeZone": "Asia/Seoul"}})
}

impl<'a> Stage<'a> {
    /// Starts the poller, and takes note of where things stand.
    pub async fn set(stack: &'a Stack) -> Result<Self> {
        // As the schedule does it every minute: on a new stack the first minute has not come yet.
        let path = format!("/2015-03-31/functions/{}/invocations", stack.output("StreamPollerName")?);
        let asynchronous = [("x-amz-invocation-type", "Event")];
        let answer = stack.aws().send("lambda", Method::POST, &path, &asynchronous, b"{}".to_vec()).await?;
        ensure!(answer.status.is_success(), "the poller cannot be started: {}", answer.status);
        let phones = stack.mobile_push();
        let since = phones.head().await?;
        let (users, graph) = (Users::from_stack(stack)?, stack.neptune());
        Ok(Self { stack, users, graph, phones, since, cast: Vec::new(), deeds: BTreeMap::new() })
    }

    /// Somebody signs up, appears in the graph, and signs in on a phone. Their id.
    pub async fn sign_up(&mut self, name: &str, language: &str, platform: Platform) -> Result<String> {
        let user = self.users.sign_up(name).await?;
        let token = format!("demo-{}", Uuid::new_v4());
        let profile = Profile { name: name.to_owned(), language: language.to_owned(), platform };
        self.phones.set_up(&token, &profile).await?;
        let device = json!({"token": token, "platform": platform, "language": language});
        user.request(self.stack, Method::PUT, "/v1/devices/phone", Some(&device)).await?;
        self.graph.commit(&Commit::new().add_vertex(&user.id, ["person"]).set(&user.id, "name", name)).await?;
        println!("    {name} signs up, and in on a phone ({language})");
        let id = user.id.clone();
        self.cast.push(Person { user, token });
        Ok(id)
    }

    /// Something happens, and these people's phones tell them: what they show.
    pub async fn step(&mut self, what: &str, commit: Commit, to: &[&str]) -> Result<Vec<Notification>> {
        println!("\n  ▸ {what}");
        let commit_num = self.commit(what, &commit, to, None).await?;
        let tokens: BTreeSet<_> = to.iter().map(|id| Ok(self.person(id)?.token.as_str())).collect::<Result<_>>()?;
        let come = self
            .phones
            .wait_for(self.since, PATIENCE, |all| {
                let come: Vec<_> = all.iter().filter(|shown| commit_of(shown) == Some(commit_num)).cloned().collect();
                tokens.iter().all(|token| come.iter().any(|shown| shown.token == *token)).then_some(come)
            })
            .await
            .with_context(|| format!("{what}: somebody was not told"))?;
        for shown in &come {
            let drawn = self.drawn(shown);
            println!("    {}{}", drawing::line(&shown.phone, &drawn), if shown.replaced { "  (replaces)" } else { "" });
        }
        Ok(come)
    }

    /// Something happens of which nobody is to be told.
    pub async fn untold(&mut self, what: &str, commit: Commit, why: &str) -> Result<()> {
        println!("\n  ▸ {what}");
        println!("    nobody is told: {why}");
        self.commit(what, &commit, &[], Some(why)).await?;
        Ok(())
    }

    /// Somebody says what they want to be told of.
    pub async fn prefers(&self, id: &str, what: &str, preferences: &Value) -> Result<()> {
        println!("\n  ▸ {what}");
        let user = &self.person(id)?.user;
        user.request(self.stack, Method::PUT, "/v1/notification-preferences", Some(preferences)).await?;
        Ok(())
    }

    /// Somebody looks for `words`, and finds this story before all others.
    pub async fn finds(&self, id: &str, what: &str, words: &str, story: &str) -> Result<()> {
        println!("\n  ▸ {what}");
        let path: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
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
            ensure!(start.elapsed() < PATIENCE, "{what}: it is not found");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Looks at all that has come: each told once, and nobody else.
    pub async fn end(self) -> Result<Day> {
        let tokens: BTreeSet<_> = self.cast.iter().map(|person| person.token.as_str()).collect();
        let mut shown = self.phones.notifications(self.since).await?;
        shown.retain(|shown| tokens.contains(shown.token.as_str()));
        let mut told = BTreeSet::new();
        for notification in &shown {
            let deed = commit_of(notification).and_then(|commit| Some((commit, self.deeds.get(&commit)?)));
            let (commit, deed) = deed.with_context(|| format!("nobody did “{}”", notification.notice.body))?;
            let person = self.cast.iter().find(|person| person.token == notification.token);
            let id = &person.context("a stranger's phone")?.user.id;
            ensure!(deed.told.contains(id), "{} was told: {}", notification.phone, deed.what);
            ensure!(told.insert((commit, id.clone())), "{} was told twice: {}", notification.phone, deed.what);
        }
        let unshown = self.phones.unshown(self.since).await?;
        if let Some(unshown) = unshown.iter().find(|unshown| tokens.contains(unshown.token.as_str())) {
            bail!("SNS took a message that no phone shows: {:?}", unshown.why);
        }
        let mut took: Vec<_> = shown.iter().filter_map(|shown| self.drawn(shown).took).collect();
        took.sort_unstable();
        if let (Some(middle), Some(last)) = (took.get(took.len() / 2), took.last()) {
            let (middle, last) = (middle.as_millis(), last.as_millis());
            println!(
                "\n    {} notifications, each once; from commit to phone: median {middle} ms, most {last} ms",
                took.len()
            );
        }
        let untold = self
            .deeds
            .values()
            .filter_map(|deed| Some(Untold { what: deed.what.clone(), why: deed.why_untold.clone()? }));
        let untold = untold.collect();
        let mut phones = Vec::new();
        for person in &self.cast {
            let phone = self.phones.phone(&person.token).await?;
            phones.push(drawing::Phone {
                name: phone.profile.name,
                language: phone.profile.language,
                platform: phone.profile.platform,
                notices: phone.screen.iter().map(|shown| self.drawn(shown)).collect(),
            });
        }
        Ok(Day { phones, untold })
    }

    async fn commit(&mut self, what: &str, commit: &Commit, to: &[&str], why_untold: Option<&str>) -> Result<u64> {
        let committed = self.graph.commit(commit).await?;
        let commit_num = committed.commit_num.with_context(|| format!("{what} changed nothing"))?;
        self.deeds.insert(
            commit_num,
            Deed {
                what: what.to_owned(),
                committed_at: committed.commit_timestamp,
                told: to.iter().map(|id| (*id).to_owned()).collect(),
                why_untold: why_untold.map(str::to_owned),
            },
        );
        Ok(commit_num)
    }

    fn person(&self, id: &str) -> Result<&Person> {
        self.cast.iter().find(|person| person.user.id == id).context("nobody of this day")
    }

    fn drawn(&self, shown: &Notification) -> Drawn {
        let deed = commit_of(shown).and_then(|commit| self.deeds.get(&commit));
        let took = deed.and_then(|deed| u64::try_from(shown.received_at - deed.committed_at).ok());
        Drawn {
            title: shown.notice.title.clone(),
            body: shown.notice.body.clone(),
            silent: shown.notice.silent,
            received_at: shown.received_at,
            took: took.map(Duration::from_millis),
        }
    }
}

/// The commit that a notification is about: `data.event` is `<cluster>/<commitNum>/<opNum>`.
fn commit_of(shown: &Notification) -> Option<u64> {
    shown.data.get("event")?.rsplit('/').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use api::NotificationPreferences;
    use domain::push::{Category, Delivery, Preferences};

    use super::*;

    #[test]
    fn quiet_hours_have_begun() {
        let chosen: NotificationPreferences = serde_json::from_value(quiet_now()).expect("preferences");
        let preferences = Preferences::try_from(chosen).expect("quiet hours");
        assert_eq!(preferences.delivery(Category::Followers, Timestamp::now()), Delivery::Silent);
    }
}
