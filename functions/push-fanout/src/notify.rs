//! The second step: who is told of what a message says.

use std::collections::{BTreeSet, HashMap};

use domain::{
    graph::{Change, What},
    push::{Event, Recipients, Registers, Resolution, Row, Rule, Vertex, Words, followed_before, rules, still_stands},
};
use function_kit::{failure::Failure, metrics::Metrics};
use futures_util::{StreamExt, stream};
use store::audience::{Notes, Shelf};
use tracing::info;

use crate::{
    deliver::{Telling, worst},
    message::{Further, Message},
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
            Message::Further(Further::Page { event, rule, after, number }) => {
                let rule = rules::by_id(&rule).ok_or_else(|| Failure::bug("go on with a page", "no such rule"))?;
                self.page(&event, rule, Some(&after), number).await
            }
            Message::Further(Further::Waiting { vertex, cause, after }) => {
                self.tell_waiting(&vertex, &cause, Some(&after)).await
            }
        }
    }

    /// Groups of the queue have no order between them: an edge can come before the one that says
    /// who must be told of it. Whichever comes second tells.
    async fn complete_joins(&self, change: &Change, cause: &str) -> Result<(), Failure> {
        let Some(ends) = change.ends.as_ref().filter(|_| change.what != What::Removed) else { return Ok(()) };
        for label in change.labels.added.iter().chain(&change.labels.kept) {
            match label.as_str() {
                "told" | "wrote" => self.tell_waiting(&ends.to, cause, None).await?,
                "follows" => self.tell_late_follower(&ends.to, &ends.from).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Tells of the events that waited for the owner of `vertex`, a page of them, and hands on.
    async fn tell_waiting(&self, vertex: &str, cause: &str, after: Option<&str>) -> Result<(), Failure> {
        let shelf = Shelf::WaitingForOwner(vertex.to_owned());
        let Notes { events, next } = self.ports.notes(&shelf, after).await?;
        if let Some(after) = next {
            let further = Further::Waiting { vertex: vertex.to_owned(), cause: cause.to_owned(), after };
            self.ports.hand_on(&further).await?;
        }
        let tell = async |event: Event| {
            // What waits for another owner has a note there.
            let waits_for = self.tell(&event).await?;
            if waits_for.contains(vertex) {
                return Ok(());
            }
            self.ports.drop_note(&shelf, &event.edge, event.position).await
        };
        let outcomes = stream::iter(events).map(tell).buffer_unordered(EVENTS_AT_A_TIME).collect::<Vec<_>>().await;
        worst(outcomes)
    }

    /// Somebody follows `person`, and perhaps did so before a story that was told already.
    async fn tell_late_follower(&self, person: &str, follower: &str) -> Result<(), Failure> {
        let shelf = Shelf::ToldBy(person.to_owned());
        let mut after = None;
        loop {
            let Notes { events, next } = self.ports.notes(&shelf, after.as_deref()).await?;
            if !events.is_empty() {
                let row = Row::Follower { of: person.to_owned(), follower: follower.to_owned() };
                let follows = self.ports.look_up(std::slice::from_ref(&row)).await?.remove(&row).unwrap_or_default();
                for event in events.iter().filter(|event| followed_before(&follows, event.position)) {
                    for rule in event.rules().filter(|rule| rules::is_told_to_followers(rule)) {
                        self.tell_these(event, rule, &event.from, vec![follower.to_owned()]).await?;
                    }
                }
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    /// Tells of an event by all rules that are about it. Says for whose owners it still waits.
    async fn tell(&self, event: &Event) -> Result<BTreeSet<String>, Failure> {
        if self.is_expired_for_all(event) {
            Reason::Expired.count(self.metrics);
            return Ok(BTreeSet::new());
        }
        let mut noted = BTreeSet::new();
        let (known, waits_for) = loop {
            let Some(known) = self.known(event).await? else {
                Reason::Undone.count(self.metrics);
                return Ok(BTreeSet::new());
            };
            let waits_for: BTreeSet<String> = resolutions(event, &known)
                .filter_map(|(_, resolution)| match resolution {
                    Resolution::WaitsForOwner(vertex) => Some(vertex),
                    _ => None,
                })
                .collect();
            let unnoted: Vec<_> = waits_for.difference(&noted).cloned().collect();
            if unnoted.is_empty() {
                break (known, waits_for);
            }
            // First the note, then another look: whoever writes the owner does it the other way round.
            for vertex in unnoted {
                self.ports.note(&Shelf::WaitingForOwner(vertex.clone()), event).await?;
                noted.insert(vertex);
            }
        };
        for (rule, resolution) in resolutions(event, &known) {
            match resolution {
                Resolution::Tells { actor, recipients: Recipients::These(persons) } => {
                    self.tell_these(event, rule, &actor, persons).await?;
                }
                Resolution::Tells { recipients: Recipients::FollowersOf(person), .. } => {
                    self.ports.note(&Shelf::ToldBy(person), event).await?;
                    self.page(event, rule, None, 0).await?;
                }
                Resolution::WaitsForOwner(_) => {
                    info!(event = event.id, rule = rule.id, "waits for an owner");
                }
                Resolution::DoesNotApply => {}
            }
        }
        for vertex in noted.difference(&waits_for) {
            let shelf = Shelf::WaitingForOwner(vertex.clone());
            self.ports.drop_note(&shelf, &event.edge, event.position).await?;
        }
        Ok(waits_for)
    }

    /// Tells a page of followers, after it has handed on the one that comes next.
    async fn page(&self, event: &Event, rule: &Rule, after: Option<&str>, number: u32) -> Result<(), Failure> {
        if event.time_left(rule, self.ports.now()).is_none() {
            Reason::Expired.count(self.metrics);
            return Ok(());
        }
        let page = self.ports.followers(&event.from, after).await?;
        if let Some(after) = page.next
            && !self.ports.is_handed_on(event, &rule.id, number).await?
        {
            let further =
                Further::Page { event: event.clone(), rule: rule.id.clone(), after, number: number.saturating_add(1) };
            self.ports.hand_on(&further).await?;
            self.ports.handed_on(event, &rule.id, number).await?;
        }
        let follows = |(follower, registers): (String, Registers)| {
            followed_before(&registers, event.position).then_some(follower)
        };
        let followers: Vec<_> = page.followers.into_iter().filter_map(follows).collect();
        info!(event = event.id, rule = rule.id, page = number, followers = followers.len(), "followers");
        self.tell_these(event, rule, &event.from, followers).await
    }

    /// Tells `recipients` what `actor` did, if it still stands.
    async fn tell_these(
        &self,
        event: &Event,
        rule: &Rule,
        actor: &str,
        recipients: Vec<String>,
    ) -> Result<(), Failure> {
        let person = Row::Vertex(actor.to_owned());
        let mut rows = rows(event);
        rows.push(person.clone());
        let found = self.ports.look_up(&rows).await?;
        let Some(known) = known(event, &found) else {
            Reason::Undone.count(self.metrics);
            return Ok(());
        };
        let words = Words {
            actor_name: vertex(&found, &person).name,
            source_title: known.source.title,
            target_title: known.target.title,
        };
        Telling { ports: self.ports, metrics: self.metrics, event, rule, actor, words }.tell(recipients).await
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

fn resolutions(event: &Event, known: &Known) -> impl Iterator<Item = (&'static Rule, Resolution)> {
    event.rules().map(|rule| (rule, rule.resolve(event, &known.source, &known.target)))
}

fn rows(event: &Event) -> Vec<Row> {
    vec![Row::Edge(event.edge.clone()), Row::Vertex(event.from.clone()), Row::Vertex(event.to.clone())]
}

fn known(event: &Event, found: &HashMap<Row, Registers>) -> Option<Known> {
    let edge = found.get(&Row::Edge(event.edge.clone()))?;
    still_stands(edge, event.position).then(|| Known {
        source: vertex(found, &Row::Vertex(event.from.clone())),
        target: vertex(found, &Row::Vertex(event.to.clone())),
    })
}

fn vertex(found: &HashMap<Row, Registers>, row: &Row) -> Vertex {
    found.get(row).map(Vertex::from).unwrap_or_default()
}
