//! The second step: who is told of what a message says.

use std::collections::{BTreeSet, HashMap};

use domain::{
    graph::{Change, ChangeKind, Position},
    media::Visibility,
    push::{
        Event, Recipients, Registers, Resolution, Row, Rule, TemplateArgs, Vertex, edge_still_exists, followed_before,
        follows, rules, vertex_with_visibility,
    },
};
use function_kit::{failure::Failure, metrics::Metrics};
use futures_util::{StreamExt, stream};
use store::audience::{PendingKey, PendingPage};
use tracing::info;

use crate::{
    deliver::{Telling, worst},
    message::{Further, Message, Page, Waiting},
    ports::Ports,
    reason::Reason,
};

/// Events of a shelf that are told side by side.
const EVENTS_AT_A_TIME: usize = 8;

/// Tells people of changes.
pub struct Notifier<'a, P> {
    pub ports: &'a P,
    pub metrics: &'a Metrics,
}

/// What is known of an event's two vertices.
struct Known {
    source: Vertex,
    target: Vertex,
}

/// A page of a large audience.
struct Place {
    /// After which follower it begins.
    after: Option<String>,
    /// Counts from 0.
    number: u32,
    /// Since when the story may be seen. Each time that it is shown, pages are handed on anew.
    shown: Option<Position>,
}

impl Place {
    fn first(rule: &Rule, known: &Known) -> Self {
        let shown = rule.discloses().and_then(|end| end.of(&known.source, &known.target).visibility);
        Self { after: None, number: 0, shown: shown.map(|seen| seen.since) }
    }

    /// By which it is remembered that a page was handed on.
    fn walk(&self, rule: &Rule) -> String {
        self.shown.map_or_else(|| rule.id.clone(), |shown| format!("{}@{shown}", rule.id))
    }
}

impl<P: Ports> Notifier<'_, P> {
    /// Tells whom a message concerns, after it, and all that came with it, was projected.
    pub async fn finish(&self, message: Message) -> Result<(), Failure> {
        match message {
            Message::Change(received) => {
                self.complete_joins(&received.change, &received.id).await?;
                match Event::of(&received) {
                    Some(event) => self.tell(&event).await.map(drop),
                    None => Ok(()),
                }
            }
            Message::Further(further) => match *further {
                Further::Page(Page { event, rule, after, number, shown }) => {
                    let rule = rules::by_id(&rule).ok_or_else(|| Failure::bug("go on with a page", "no such rule"))?;
                    self.go_on(&event, rule, &Place { after: Some(after), number, shown }).await
                }
                Further::Waiting(Waiting { vertex, cause, after }) => {
                    self.tell_waiting(&vertex, &cause, Some(&after)).await
                }
            },
        }
    }

    /// Groups of the queue have no order between them: an edge can come before the one that says
    /// who must be told of it, or before the vertex that says who may be. Whichever comes second tells.
    async fn complete_joins(&self, change: &Change, cause: &str) -> Result<(), Failure> {
        if let Some(vertex) = vertex_with_visibility(change) {
            return self.tell_waiting(vertex, cause, None).await;
        }
        let Some(ends) = change.ends.as_ref().filter(|_| change.change_kind != ChangeKind::Removed) else {
            return Ok(());
        };
        for label in change.labels.added.iter().chain(&change.labels.kept) {
            match label.as_str() {
                "told" | "wrote" => self.tell_waiting(&ends.to, cause, None).await?,
                "follows" => self.tell_late_follower(&ends.to, &ends.from).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Tells of the events that waited for `vertex`, a page of them, and hands on.
    async fn tell_waiting(&self, vertex: &str, cause: &str, after: Option<&str>) -> Result<(), Failure> {
        let pending_key = PendingKey::WaitingFor(vertex.to_owned());
        let PendingPage { events, next } = self.ports.pending_page(&pending_key, after).await?;
        if let Some(after) = next {
            let further = Further::Waiting(Waiting { vertex: vertex.to_owned(), cause: cause.to_owned(), after });
            self.ports.hand_on(&further).await?;
        }
        let tell = async |event: Event| {
            // What waits for another vertex has a note there.
            let waits_for = self.tell(&event).await?;
            if waits_for.contains(vertex) {
                return Ok(());
            }
            self.ports.remove_pending(&pending_key, &event.edge, event.position).await
        };
        let outcomes = stream::iter(events).map(tell).buffer_unordered(EVENTS_AT_A_TIME).collect::<Vec<_>>().await;
        worst(outcomes)
    }

    /// Somebody follows `person`, and perhaps did so before a story that was told already.
    async fn tell_late_follower(&self, person: &str, follower: &str) -> Result<(), Failure> {
        let pending_key = PendingKey::RecentBy(person.to_owned());
        let mut after = None;
        loop {
            let PendingPage { events, next } = self.ports.pending_page(&pending_key, after.as_deref()).await?;
            if !events.is_empty() {
                let row = Row::Follower { of: person.to_owned(), follower: follower.to_owned() };
                let follows = self.ports.look_up(std::slice::from_ref(&row)).await?.remove(&row).unwrap_or_default();
                for event in events.iter().filter(|event| followed_before(&follows, event.position)) {
                    for rule in event.rules().filter(|rule| rules::targets_followers(rule)) {
                        let waits = self.tell_these(event, rule, &event.from, vec![follower.to_owned()]).await?;
                        // Hidden since: whoever shows it again finds the note.
                        if waits.is_some() {
                            self.tell(event).await?;
                        }
                    }
                }
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    /// Tells of an event by all rules that are about it. Says for which vertices it still waits.
    async fn tell(&self, event: &Event) -> Result<BTreeSet<String>, Failure> {
        if self.is_expired_for_all(event) {
            Reason::Expired.count(self.metrics);
            return Ok(BTreeSet::new());
        }
        let mut noted = BTreeSet::new();
        let waits_for = loop {
            let Some(waits_for) = self.tell_now(event).await? else {
                Reason::Undone.count(self.metrics);
                return Ok(BTreeSet::new());
            };
            let unnoted: Vec<_> = waits_for.difference(&noted).cloned().collect();
            if unnoted.is_empty() {
                break waits_for;
            }
            // First the note, then another look: whoever writes the vertex does it the other way round.
            for vertex in unnoted {
                self.ports.add_pending(&PendingKey::WaitingFor(vertex.clone()), event).await?;
                noted.insert(vertex);
            }
        };
        for vertex in noted.difference(&waits_for) {
            let pending_key = PendingKey::WaitingFor(vertex.clone());
            self.ports.remove_pending(&pending_key, &event.edge, event.position).await?;
        }
        Ok(waits_for)
    }

    /// Tells whom it can by what is known now, and says which vertices must be known better for the
    /// others. Nothing, if the edge is gone.
    async fn tell_now(&self, event: &Event) -> Result<Option<BTreeSet<String>>, Failure> {
        let Some(known) = self.known(event).await? else { return Ok(None) };
        let mut waits_for = BTreeSet::new();
        for rule in event.rules() {
            let waits = match rule.resolve(event, &known.source, &known.target) {
                Resolution::Notify { actor, recipients: Recipients::Persons(persons) } => {
                    self.tell_these(event, rule, &actor, persons).await?
                }
                Resolution::Notify { recipients: Recipients::FollowersOf(person), .. } => {
                    self.ports.add_pending(&PendingKey::RecentBy(person), event).await?;
                    self.page(event, rule, &Place::first(rule, &known)).await?
                }
                Resolution::WaitFor(vertex) => Some(vertex),
                Resolution::NotApplicable => None,
            };
            if let Some(vertex) = waits {
                info!(event = event.id, rule = rule.id, vertex, "waits");
                waits_for.insert(vertex);
            }
        }
        Ok(Some(waits_for))
    }

    /// Tells one of the pages after the first. If the story is hidden since, it is noted: when it is shown
    /// again, all pages come again, and each person is told once.
    async fn go_on(&self, event: &Event, rule: &Rule, place: &Place) -> Result<(), Failure> {
        let Some(known) = self.known(event).await? else {
            Reason::Undone.count(self.metrics);
            return Ok(());
        };
        let is_hidden = matches!(rule.resolve(event, &known.source, &known.target), Resolution::WaitFor(_));
        if is_hidden || self.page(event, rule, place).await?.is_some() {
            self.tell(event).await?;
        }
        Ok(())
    }

    /// Tells a page of followers, after it has handed on the one that comes next. Says for which vertex
    /// it waits.
    async fn page(&self, event: &Event, rule: &Rule, place: &Place) -> Result<Option<String>, Failure> {
        if event.time_left(rule, self.ports.now()).is_none() {
            Reason::Expired.count(self.metrics);
            return Ok(None);
        }
        let page = self.ports.followers(&event.from, place.after.as_deref()).await?;
        let walk = place.walk(rule);
        if let Some(after) = page.next
            && !self.ports.is_handed_on(event, &walk, place.number).await?
        {
            let (rule, shown, number) = (rule.id.clone(), place.shown, place.number.saturating_add(1));
            let further = Further::Page(Page { event: event.clone(), rule, after, number, shown });
            self.ports.hand_on(&further).await?;
            self.ports.handed_on(event, &walk, place.number).await?;
        }
        let before = |(follower, registers): (String, Registers)| {
            followed_before(&registers, event.position).then_some(follower)
        };
        let followers: Vec<_> = page.followers.into_iter().filter_map(before).collect();
        info!(event = event.id, rule = rule.id, page = place.number, followers = followers.len(), "followers");
        self.tell_these(event, rule, &event.from, followers).await
    }

    /// Tells `recipients` what `actor` did, if it still stands and is theirs to hear. Says for which
    /// vertex it is that any of them wait.
    async fn tell_these(
        &self,
        event: &Event,
        rule: &Rule,
        actor: &str,
        mut recipients: Vec<String>,
    ) -> Result<Option<String>, Failure> {
        let person = Row::Vertex(actor.to_owned());
        let mut rows = rows(event);
        rows.push(person.clone());
        let found = self.ports.look_up(&rows).await?;
        let Some(known) = known(event, &found) else {
            Reason::Undone.count(self.metrics);
            return Ok(None);
        };
        let mut waits_for = None;
        if let Some(end) = rule.discloses() {
            let (story, id) = (end.of(&known.source, &known.target), rule.vertex(end, event).to_owned());
            match story.visibility.map(|fact| fact.visibility) {
                None | Some(Visibility::Private) => return Ok(Some(id)),
                Some(Visibility::Followers) if !rules::targets_followers(rule) => {
                    let all = recipients.len();
                    recipients = self.followers_among(recipients, story).await?;
                    waits_for = (recipients.len() < all).then_some(id);
                }
                Some(Visibility::Followers | Visibility::Public) => {}
            }
        }
        let args = TemplateArgs {
            actor_name: vertex(&found, &person).name,
            source_title: known.source.title,
            target_title: known.target.title,
        };
        Telling { ports: self.ports, metrics: self.metrics, event, rule, actor, args }.tell(recipients).await?;
        Ok(waits_for)
    }

    /// Of `persons`, who is one of a story's owners or follows one.
    async fn followers_among(&self, persons: Vec<String>, story: &Vertex) -> Result<Vec<String>, Failure> {
        let follower = |owner: &str, person: &str| Row::Follower { of: owner.to_owned(), follower: person.to_owned() };
        let owners = || story.owners.iter().map(|owner| owner.person.as_str());
        let rows: Vec<_> =
            persons.iter().flat_map(|person| owners().map(move |owner| follower(owner, person))).collect();
        let found = self.ports.look_up(&rows).await?;
        let sees = |person: &String| {
            owners().any(|owner| owner == person || found.get(&follower(owner, person)).is_some_and(follows))
        };
        Ok(persons.into_iter().filter(sees).collect())
    }

    /// `None` if the edge is gone, or is there by another event.
    async fn known(&self, event: &Event) -> Result<Option<Known>, Failure> {
        Ok(known(event, &self.ports.look_up(&rows(event)).await?))
    }

    fn is_expired_for_all(&self, event: &Event) -> bool {
        let now = self.ports.now();
        event.rules().all(|rule| event.time_left(rule, now).is_none())
    }
}

fn rows(event: &Event) -> Vec<Row> {
    vec![Row::Edge(event.edge.clone()), Row::Vertex(event.from.clone()), Row::Vertex(event.to.clone())]
}

fn known(event: &Event, found: &HashMap<Row, Registers>) -> Option<Known> {
    let edge = found.get(&Row::Edge(event.edge.clone()))?;
    edge_still_exists(edge, event.position).then(|| Known {
        source: vertex(found, &Row::Vertex(event.from.clone())),
        target: vertex(found, &Row::Vertex(event.to.clone())),
    })
}

fn vertex(found: &HashMap<Row, Registers>, row: &Row) -> Vertex {
    found.get(row).map(Vertex::from).unwrap_or_default()
}
